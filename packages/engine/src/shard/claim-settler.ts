import type { ShardContext } from './shard-context.ts';
import type { BarrierAnswer } from './table-barrier.ts';

/** Between two questions. Until they are answered each claimed unit keeps its markers to itself, in memory of its own. */
const settleEveryMs = 1_000;

/**
 * Lets markers that claims have returned count for their whole buckets, once the table shows all that was committed when
 * the store answered: what they vouch for may rest on ends that this node hasn't seen (PROTOCOL.md 5.7).
 */
export class ClaimSettler {
  readonly #context: ShardContext;
  #asked: { readonly upTo: number; readonly answer: BarrierAnswer } | null = null;
  #dueMs = 0;

  constructor(context: ShardContext) {
    this.#context = context;
  }

  kick(nowMs: number): void {
    const { barrier, holder, leases } = this.#context;
    if (this.#asked === null) {
      const upTo = holder.claimFloors.unsettled;
      if (upTo === null || nowMs < this.#dueMs) return;
      this.#dueMs = nowMs + settleEveryMs;
      this.#asked = { upTo, answer: barrier.ask() };
    }
    const { upTo, answer } = this.#asked;
    if (answer.isRefused) this.#asked = null;
    if (answer.index === null || leases.tableIndex() < answer.index) return;
    this.#asked = null;
    // What the table has ended goes first.
    holder.onTableAdvanced(nowMs);
    holder.claimFloors.settle(upTo);
  }
}
