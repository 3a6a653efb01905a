import type { LeaseOptions } from '@holdfast/lease';
import type { VirtualProcess } from '../virtual-process.ts';
import type { LeaseModel } from './lease-model.ts';
import type { Report } from './report.ts';

/** After a pause a shard may act before it learns the time: the store's fence is for that, not this check. */
export const promptMs = 300;

interface Proof {
  /** World's time, and the node's own. */
  readonly sentAtMs: number;
  readonly sentAtOwnMs: number;
}

/** How often a node looks at its clock, and what a timer may be late without a pause. */
const pulseMs = 110;

/**
 * I1 and I10, the part of time: a node holds no longer than its last answered proof of life allows, counted from
 * sending, and no session is expired sooner than its time to live after that, whoever led.
 */
export class SessionTimes {
  readonly #report: Report;
  readonly #lease: LeaseOptions;
  readonly #model: LeaseModel;
  readonly #proofs = new Map<number, Proof>();
  readonly #driftRatio: number;
  expiries = 0;

  constructor(report: Report, model: LeaseModel, lease: LeaseOptions, driftRatio: number) {
    this.#report = report;
    this.#model = model;
    this.#lease = lease;
    this.#driftRatio = driftRatio;
  }

  /** A renewal, or the opening of the session, that was sent then has been answered with OK. */
  onProof(session: number, proof: Proof): void {
    const known = this.#proofs.get(session);
    if (known === undefined || proof.sentAtMs > known.sentAtMs) this.#proofs.set(session, proof);
    const end = this.#model.ended.get(session);
    // What was asked for before the end was seen may have been answered before it.
    if (end !== undefined && end.atMs < proof.sentAtMs) {
      this.#report(`I10: a renewal of session ${session} was answered OK, asked for after its end (${end.reason})`);
    }
  }

  /** The node at `process` holds under this session now. */
  onHolding(nodeId: string, process: VirtualProcess, session: number): void {
    const proof = this.#proofs.get(session);
    if (proof === undefined) {
      this.#report(`I1: ${nodeId} holds under session ${session}, which nobody has confirmed`);
      return;
    }
    if (!process.isPrompt(promptMs)) return;
    const sinceMs = process.monotonicMs() - proof.sentAtOwnMs;
    if (sinceMs > this.#lease.holderStopMs + pulseMs) {
      this.#report(
        `I1: ${nodeId} holds under session ${session} ${sinceMs.toFixed(0)} ms after its last proof of life`,
      );
    }
  }

  onExpired(session: number, nowMs: number): void {
    this.expiries++;
    const proof = this.#proofs.get(session);
    if (proof === undefined) return;
    const waitedMs = nowMs - proof.sentAtMs;
    const leastMs = (this.#lease.sessionTtlMs * this.#lease.leaderWaitFactor) / (1 + this.#driftRatio) - 1;
    if (waitedMs < leastMs) {
      this.#report(`I10: session ${session} expired ${waitedMs.toFixed(0)} ms after a renewal that was answered OK`);
    }
  }
}
