import type { NodeId } from '@holdfast/model';
import type { GossipHint } from '../simulated-gossip.ts';
import type { Report } from './report.ts';

type View = ReadonlyMap<NodeId, Readonly<GossipHint>>;

/** A shorter time without a fault between two nodes proves nothing. */
const quietMs = 15_000;

/** I18: nobody is declared dead who is healthy, reachable and not stalled. */
export class MembershipViews {
  readonly #report: Report;
  readonly #troubledAtMs = new Map<NodeId, number>();
  looks = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Each round: whether the node, and each way to and from it, is as it should be. */
  note(id: NodeId, isHealthy: boolean, nowMs: number): void {
    if (!isHealthy || !this.#troubledAtMs.has(id)) this.#troubledAtMs.set(id, nowMs);
  }

  check(of: NodeId, view: View, nowMs: number): void {
    if (nowMs - this.#troubledAtMs.get(of)! < quietMs) return;
    for (const [id, { state }] of view) {
      this.looks++;
      if (state !== 'dead' || nowMs - (this.#troubledAtMs.get(id) ?? nowMs) < quietMs) continue;
      this.#report(`I18: ${of} shows ${id} as dead, which has been healthy for ${quietMs} ms`);
    }
  }
}
