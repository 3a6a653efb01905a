import type { HeldUnit } from './held-unit.ts';
import type { Rounds } from './rounds.ts';

/**
 * The clean end of leases (PROTOCOL.md 2.2): a unit closes, gets its last row accepted, then its end is proposed, again and
 * again until the table shows what became of it.
 */
export class ClosingUnits {
  readonly #rounds: Rounds;
  readonly #retryMs: number;
  readonly #closed = new Set<HeldUnit>();
  #releases: HeldUnit[] = [];
  /** The whole shard stops: its session's end releases everything, so no unit asks for itself. */
  stopping = false;

  constructor(rounds: Rounds, retryMs: number) {
    this.#rounds = rounds;
    this.#retryMs = retryMs;
  }

  close(unit: HeldUnit): void {
    unit.phase = 'closing';
    if (unit.dirty || unit.flyingVersion >= 0) this.#rounds.hurry(unit);
    else this.#markClosed(unit);
  }

  /** A row of a closing unit was accepted. */
  saved(unit: HeldUnit): void {
    if (unit.dirty) this.#rounds.hurry(unit);
    else this.#markClosed(unit);
  }

  /** The store may have lost the last row: it has to be written again before the end may be. */
  reopenWriting(unit: HeldUnit): void {
    this.#closed.delete(unit);
    unit.phase = 'closing';
    this.#rounds.hurry(unit);
  }

  dropped(unit: HeldUnit): void {
    this.#closed.delete(unit);
  }

  /** Closed units, with those whose last proposal is too long ago queued for another. */
  *check(nowMs: number): Iterable<HeldUnit> {
    for (const unit of this.#closed) {
      yield unit;
      if (unit.held && nowMs - unit.releaseAskedMs >= this.#retryMs) this.#ask(unit, nowMs);
    }
  }

  takeReleases(nowMs: number): { hi: number; lo: number; epoch: number }[] {
    const taken = this.#releases.splice(0).filter((unit) => unit.held);
    for (const unit of taken) unit.releaseAskedMs = nowMs;
    return taken.map(({ hi, lo, epoch }) => ({ hi, lo, epoch }));
  }

  #markClosed(unit: HeldUnit): void {
    unit.phase = 'closed';
    this.#closed.add(unit);
    this.#ask(unit, Number.NEGATIVE_INFINITY);
  }

  #ask(unit: HeldUnit, nowMs: number): void {
    if (this.stopping) return;
    unit.releaseAskedMs = nowMs;
    this.#releases.push(unit);
  }
}
