import type { ShardContext } from './shard-context.ts';

/** Entries that no table trails by: what is further ahead was not given by this cluster's log. */
const trailMax = 2 ** 20;
/** So long no table trails whose node has a session. */
const waitMsMax = 30_000;
/** Said again, for who reads only the end of a log. */
const sayEveryMs = 10 * 60_000;

/**
 * Notices an epoch in the store that this cluster's log can't have given: another cluster works on the same store, or this
 * one's log was lost or is an older copy. The shard takes nothing on and reports nothing while it waits for that entry, and
 * an operator has to know (`STORE_AHEAD`).
 */
export class StoreAhead {
  readonly #context: ShardContext;
  #sinceMs: number | null = null;
  #saidMs: number | null = null;

  constructor(context: ShardContext) {
    this.#context = context;
  }

  /** By how many entries the store is ahead; 0: it isn't, or the table may still get there. */
  look(nowMs: number): number {
    const { holder, leases, options } = this.#context;
    const tableIndex = leases.tableIndex();
    const fence = holder.awaited.fence(tableIndex);
    if (fence === null) {
      this.#sinceMs = null;
      this.#saidMs = null;
      return 0;
    }
    this.#sinceMs ??= nowMs;
    const ahead = fence.index - tableIndex;
    if (ahead <= trailMax && nowMs - this.#sinceMs < waitMsMax) return 0;
    if (this.#saidMs === null || nowMs - this.#saidMs >= sayEveryMs) {
      this.#saidMs = nowMs;
      options.logger.error(
        'the store has an epoch that the log of this cluster can not have given: this shard takes no users on and makes nothing durable. Another cluster uses the same store under the same prefix, or the log was lost or restored: see STORE_AHEAD in docs/OPERATIONS.md',
        { epoch: fence.epoch, epochBase: leases.epochBase(), tableIndex, ahead },
      );
    }
    return ahead;
  }
}
