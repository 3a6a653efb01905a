import { committedIndex, type QuorumConf } from './quorum.ts';
import type { ReadContext } from './types.ts';

/** Who asked: this node's own caller, or a follower under its request number. */
export type ReadOrigin =
  | { readonly from: null; readonly context: ReadContext }
  | { readonly from: string; readonly requestId: number };

export interface PendingRead {
  readonly origin: ReadOrigin;
  /** The leader's commit index when it took the read. */
  readonly index: number;
  /** Answers to this round of heartbeats, or a later one, prove that the leader still led after the read was asked. */
  readonly round: number;
}

/**
 * Reads at a leader that wait for proof of leadership (6.4; thesis 6.4).
 *
 * Heartbeats carry the number of the newest round. A read joins the round after that, so each heartbeat that proves it
 * was sent later. One round at a time is under way: reads that come meanwhile share the next, however many they are.
 */
export class ReadQueue {
  #round = 0;
  #confirmed = 0;
  readonly #acks = new Map<string, number>();
  #held: ReadOrigin[] = [];
  #pending: PendingRead[] = [];

  /** The newest round that was begun; what heartbeats carry. */
  get round(): number {
    return this.#round;
  }

  /** Reads waiting in all. */
  get size(): number {
    return this.#held.length + this.#pending.length;
  }

  /** Reads wait for a round that wasn't begun, and none is under way. */
  get isRoundDue(): boolean {
    const newest = this.#pending[this.#pending.length - 1];
    return newest !== undefined && newest.round > this.#round && this.#confirmed >= this.#round;
  }

  /** Reads wait for answers: the next heartbeats should begin a round, as earlier ones may have been lost. */
  get isWaiting(): boolean {
    return this.#pending.length > 0;
  }

  /** Keeps a read until the leader has committed in its own term, before which its commit index may be old. */
  hold(origin: ReadOrigin): void {
    this.#held.push(origin);
  }

  /** The leader has committed in its own term, and stands at `index`. */
  releaseHeld(index: number): void {
    for (const origin of this.#held) this.add(origin, index);
    this.#held = [];
  }

  add(origin: ReadOrigin, index: number): void {
    this.#pending.push({ origin, index, round: this.#round + 1 });
  }

  /** Begins a round: the caller sends heartbeats to all. */
  startRound(conf: QuorumConf, self: string): void {
    this.#round++;
    this.#confirm(conf, self);
  }

  /** A voter answered a heartbeat of `round`. */
  acked(peer: string, round: number, conf: QuorumConf, self: string): void {
    const known = this.#acks.get(peer) ?? 0;
    if (round <= known || round > this.#round) return;
    this.#acks.set(peer, round);
    this.#confirm(conf, self);
  }

  /** Removes and returns the reads that are proven. */
  takeConfirmed(): PendingRead[] {
    let count = 0;
    while (count < this.#pending.length && this.#pending[count]!.round <= this.#confirmed) count++;
    return count === 0 ? [] : this.#pending.splice(0, count);
  }

  /** Forgets all, at the start and end of a leadership. */
  reset(): void {
    this.#round = 0;
    this.#confirmed = 0;
    this.#acks.clear();
    this.#held = [];
    this.#pending = [];
  }

  #confirm(conf: QuorumConf, self: string): void {
    const confirmed = committedIndex(conf, (voter) => (voter === self ? this.#round : (this.#acks.get(voter) ?? 0)));
    // What the voters of before confirmed stays so.
    this.#confirmed = Math.max(this.#confirmed, confirmed);
  }
}
