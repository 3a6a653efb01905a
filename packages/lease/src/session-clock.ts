import type { SessionId } from '@holdfast/model';
import type { LeaseOptions } from './options.ts';

/** What a leader knows of its own health at a tick. */
export interface TickHealth {
  /** How much later than due this tick is. */
  readonly tickLateMs: number;
  /** When the latest quorum round that was confirmed was begun. */
  readonly quorumConfirmedAtMs: number;
}

/**
 * The leader's volatile idea of when each session was last renewed, and so which are overdue. The leader's
 * own absence counts against nobody. Clocks decide only when an end is proposed; whether a session is over,
 * the log says.
 */
export class SessionClock {
  readonly #options: LeaseOptions;
  readonly #startedAtMs: number;
  readonly #renewedAtMs = new Map<SessionId, number>();
  #distrustedAtMs = Number.NEGATIVE_INFINITY;

  /** A new leader can't know who renewed when: all have a full term from now. */
  constructor(options: LeaseOptions, startedAtMs: number) {
    this.#options = options;
    this.#startedAtMs = startedAtMs;
  }

  renewed(session: SessionId, atMs: number): void {
    this.#renewedAtMs.set(session, Math.max(atMs, this.renewedAtMs(session)));
  }

  ended(session: SessionId): void {
    this.#renewedAtMs.delete(session);
  }

  renewedAtMs(session: SessionId): number {
    return this.#renewedAtMs.get(session) ?? this.#startedAtMs;
  }

  /** Its node has stopped holding, as far as the leader can tell: nothing new for it. */
  isSilent(session: SessionId, nowMs: number): boolean {
    return nowMs - this.renewedAtMs(session) >= this.#options.holderStopMs;
  }

  /**
   * Which of `sessions` to expire now, the longest silent first, at most `expiriesPerTick`. A leader that was away
   * comes back seeing everyone overdue by its own fault: its absence doesn't count, and it
   * waits until a quorum round begun since has been confirmed, for it may not be the leader any more.
   */
  overdue(sessions: Iterable<SessionId>, nowMs: number, health: TickHealth): SessionId[] {
    const { lateTicksMax, tickMs, sessionTtlMs, leaderWaitFactor, expiriesPerTick } = this.#options;
    const all = [...sessions];
    const waitMs = Math.round(sessionTtlMs * leaderWaitFactor);
    if (health.tickLateMs > lateTicksMax * tickMs) {
      this.#distrustedAtMs = nowMs;
      for (const session of all) this.renewed(session, Math.min(nowMs, this.renewedAtMs(session) + health.tickLateMs));
    }
    if (health.quorumConfirmedAtMs < this.#distrustedAtMs) return [];
    return all
      .filter((session) => nowMs - this.renewedAtMs(session) >= waitMs)
      .sort((a, b) => this.renewedAtMs(a) - this.renewedAtMs(b) || a - b)
      .slice(0, expiriesPerTick);
  }
}
