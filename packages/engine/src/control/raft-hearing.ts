import type { Timers } from '../ports/timers.ts';

/** Whom a blank member listens to: after a promise to a founder, for a while, to nobody else. */
export class RaftHearing {
  readonly #timers: Timers;
  #only: { readonly member: string; readonly untilMs: number } | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  listenOnlyTo(member: string, durationMs: number): void {
    this.#only = { member, untilMs: this.#timers.monotonicMs() + durationMs };
  }

  hears(member: string, isBlank: boolean): boolean {
    if (this.#only === null || !isBlank) return true;
    return this.#only.member === member || this.#timers.monotonicMs() >= this.#only.untilMs;
  }
}
