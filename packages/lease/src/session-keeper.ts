import type { SessionId } from '@holdfast/model';
import type { LeaseOptions } from './options.ts';

/** `holding`: may accept records. `stopped`: the session may live, but its node must not act on it. `over`: for ever. */
export type KeeperState = 'none' | 'holding' | 'stopped' | 'over';

/**
 * A node's side of its session: when to renew, when to stop holding. All times are counted from SENDING, so that
 * the node stops before the leader, which counts from receiving, gives its units away.
 *
 *     none --opened--> holding --no renewal for holderStopMs--> stopped --renewed--> holding
 *                         any --refused SESSION_OVER, or the table says so--> over
 */
export class SessionKeeper {
  readonly #options: LeaseOptions;
  #session = 0 as SessionId;
  #over = false;
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #nextRenewAtMs = Number.POSITIVE_INFINITY;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** 0 before it is opened. */
  get session(): SessionId {
    return this.#session;
  }

  /** @param askedAtMs when the request that opened it was sent */
  opened(session: SessionId, askedAtMs: number): void {
    this.#session = session;
    this.#provenAtMs = askedAtMs;
    this.#nextRenewAtMs = askedAtMs + this.#options.renewEveryMs;
  }

  state(nowMs: number): KeeperState {
    if (this.#over) return 'over';
    if (this.#session === 0) return 'none';
    return nowMs < this.#provenAtMs + this.#options.holderStopMs ? 'holding' : 'stopped';
  }

  mayHold(nowMs: number): boolean {
    return this.state(nowMs) === 'holding';
  }

  /** When to look again: the next renewal, or the stop; infinite when there is nothing to do. */
  nextDeadlineMs(nowMs: number): number {
    const state = this.state(nowMs);
    if (state === 'holding') return Math.min(this.#nextRenewAtMs, this.#provenAtMs + this.#options.holderStopMs);
    return state === 'stopped' ? this.#nextRenewAtMs : Number.POSITIVE_INFINITY;
  }

  /**
   * Send a renewal now? Then call `sent`.
   * @param shardsProgressed every shard has moved its counter since the last renewal was sent: a node that beats
   * without working must lose its units, or their records would wait for ever
   */
  shouldRenew(nowMs: number, shardsProgressed: boolean): boolean {
    const state = this.state(nowMs);
    return shardsProgressed && (state === 'holding' || state === 'stopped') && nowMs >= this.#nextRenewAtMs;
  }

  /** A request left at this moment; an answer may never come, so the next one is due anyway. */
  sent(sentAtMs: number): void {
    this.#nextRenewAtMs = sentAtMs + this.#options.renewEveryMs;
  }

  /** The leader confirmed the renewal that was sent then. Answers may come in any order. */
  renewed(sentAtMs: number): void {
    this.#provenAtMs = Math.max(this.#provenAtMs, sentAtMs);
  }

  /** An attempt failed (no leader, time-out): try again soon. */
  failed(nowMs: number): void {
    this.#nextRenewAtMs = Math.min(this.#nextRenewAtMs, nowMs + this.#options.renewRetryMs);
  }

  /** The leader refused with SESSION_OVER, or the table shows the session's end: this incarnation is over. */
  ended(): void {
    this.#over = true;
  }
}
