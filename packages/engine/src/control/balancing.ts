import {
  type BalanceShard,
  type BalancingState,
  type HandOverOrder,
  type LeaseCoordinator,
  type LeaseRecord,
  type LeaseTable,
  Rebalancer,
} from '@holdfast/lease';
import type { NodeId, ShardIndex } from '@holdfast/model';

/** Nothing is moved for balance until the live sessions have been the same for so long: a rollout, or a cluster that starts. */
export const settleMs = 5_000;
/** A known node without a session is on its way back for so long; then the others take it for gone. */
export const absentMsMax = 300_000;

/** Why nothing is moved for balance now; null: nothing is in the way. */
export type BalancingPause = 'NODE_SILENT' | 'NODE_UNREACHABLE' | 'NODE_ABSENT' | 'ROLLOUT' | 'SETTLING';

/** The leader's part of balancing units: what the table and the sessions' silence say goes into rounds. */
export class Balancing {
  readonly #table: LeaseTable;
  readonly #coordinator: LeaseCoordinator;
  readonly #rebalancer = new Rebalancer();
  readonly #absentSinceMs = new Map<NodeId, number>();
  #sessions = '';
  #sessionsSinceMs = 0;
  #pause: BalancingPause | null = null;

  constructor(table: LeaseTable, coordinator: LeaseCoordinator) {
    this.#table = table;
    this.#coordinator = coordinator;
  }

  get state(): BalancingState & { readonly pause: BalancingPause | null } {
    return { ...this.#rebalancer.state, pause: this.#pause };
  }

  onEntry(records: readonly LeaseRecord[]): void {
    for (const record of records) if (record.kind === 'moved') this.#rebalancer.onMoved(record.units.length / 2);
  }

  /** Orders to send to holders. `known` is what the leader knows of silent and unreachable nodes. */
  tick(nowMs: number, known: { readonly silent: boolean; readonly unreachable: boolean }): HandOverOrder[] {
    this.#pause = this.#findPause(nowMs, known);
    return this.#rebalancer.tick(nowMs, { shards: this.#shards(nowMs), paused: this.#pause !== null });
  }

  #shards(nowMs: number): BalanceShard[] {
    const table = this.#table;
    const list: BalanceShard[] = [];
    for (const { session, nodeId, shards, closing } of table.sessions()) {
      const receives = this.#coordinator.mayReceive(session, nowMs);
      const leaves = !closing && table.isDraining(session);
      for (let i = 0; i < shards; i++) {
        const shard = i as ShardIndex;
        list.push({ session, shard, nodeId, units: table.load(session, shard), receives, leaves });
      }
    }
    return list;
  }

  #findPause(nowMs: number, known: { readonly silent: boolean; readonly unreachable: boolean }): BalancingPause | null {
    const sessions = [...this.#table.sessions()];
    const names = sessions.map(({ session }) => session).join();
    if (names !== this.#sessions) {
      this.#sessions = names;
      this.#sessionsSinceMs = nowMs;
    }
    const isAbsent = this.#isSomeoneAbsent(nowMs);
    if (known.silent) return 'NODE_SILENT';
    if (known.unreachable) return 'NODE_UNREACHABLE';
    if (sessions.some(({ closing }) => closing) || new Set(sessions.map(({ version }) => version)).size > 1) {
      return 'ROLLOUT';
    }
    if (isAbsent) return 'NODE_ABSENT';
    return nowMs - this.#sessionsSinceMs < settleMs ? 'SETTLING' : null;
  }

  #isSomeoneAbsent(nowMs: number): boolean {
    let isAbsent = false;
    for (const { nodeId, session, draining } of this.#table.nodes()) {
      if (session !== 0 || draining) {
        this.#absentSinceMs.delete(nodeId);
        continue;
      }
      const sinceMs = this.#absentSinceMs.get(nodeId) ?? nowMs;
      this.#absentSinceMs.set(nodeId, sinceMs);
      if (nowMs - sinceMs < absentMsMax) isAbsent = true;
    }
    return isAbsent;
  }
}
