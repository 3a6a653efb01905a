import type { ShardRef } from '@holdfast/model';
import type { LeaseView } from '../lease-view.ts';
import type { RecordLimits } from '../limits.ts';
import type { HeldUnit } from './held-unit.ts';
import type { Rounds } from './rounds.ts';

/** The end of a lease, to be proposed: a move to `to`, or a release when that is null. */
export interface EndWish {
  readonly hi: number;
  readonly lo: number;
  readonly epoch: number;
  readonly to: ShardRef | null;
}

/**
 * The clean end of leases (PROTOCOL.md 2.2): a unit closes, gets its last row accepted, then its end is proposed, again and
 * again until the table shows what became of it. A unit whose only proposals were moves to a shard that the table shows
 * gone opens again: none of them can take effect any more.
 */
export class ClosingUnits {
  readonly #rounds: Rounds;
  readonly #leases: LeaseView;
  readonly #limits: Pick<RecordLimits, 'releaseRetryMs' | 'moveAsksMax'>;
  readonly #closed = new Set<HeldUnit>();
  /** Units that are closing or closed for somebody. */
  readonly #moving = new Set<HeldUnit>();
  /** Units without a row to write, whose letters aren't in the log yet. */
  readonly #unpublished = new Set<HeldUnit>();
  #ends: HeldUnit[] = [];
  /** The whole shard stops: its session's end releases everything, so no unit asks for itself. */
  stopping = false;

  constructor(rounds: Rounds, leases: LeaseView, limits: Pick<RecordLimits, 'releaseRetryMs' | 'moveAsksMax'>) {
    this.#rounds = rounds;
    this.#leases = leases;
    this.#limits = limits;
  }

  /** Units on their way to another shard. */
  get movingCount(): number {
    return this.#moving.size;
  }

  close(unit: HeldUnit, moveTo: ShardRef | null = null): void {
    unit.phase = 'closing';
    unit.moveTo = moveTo;
    unit.endAsks = 0;
    unit.endIsOpen = false;
    if (moveTo !== null) this.#moving.add(unit);
    if (unit.dirty || unit.flyingVersion >= 0) this.#rounds.hurry(unit);
    else if (this.#rounds.isPublished(unit)) this.#markClosed(unit);
    else this.#unpublished.add(unit);
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
    this.#moving.delete(unit);
    this.#unpublished.delete(unit);
  }

  /** Closed units, with those whose last proposal is too long ago queued for another. */
  *check(nowMs: number): Iterable<HeldUnit> {
    for (const unit of this.#closed) {
      yield unit;
      if (unit.held && unit.phase === 'closed' && nowMs - unit.releaseAskedMs >= this.#limits.releaseRetryMs)
        this.#ask(unit, nowMs);
    }
  }

  /**
   * Units whose only proposals can't take effect any more, as the table shows: they need not stay closed. One without a
   * row does until its letters are in the log: whoever claims it anew, here too, knows nothing of them.
   */
  voided(): HeldUnit[] {
    if (this.stopping || this.#moving.size === 0) return [];
    return [...this.#moving].filter(
      (unit) => !unit.endIsOpen && !this.#unpublished.has(unit) && this.#isOver(unit.moveTo!),
    );
  }

  /** Accepts records again. Only for units that `voided` gave, in the same turn. */
  reopen(unit: HeldUnit): void {
    this.dropped(unit);
    unit.moveTo = null;
    unit.phase = 'open';
  }

  takeEnds(nowMs: number): EndWish[] {
    for (const unit of this.#unpublished) {
      if (!this.#rounds.isPublished(unit)) continue;
      this.#unpublished.delete(unit);
      this.#markClosed(unit);
    }
    if (this.#ends.length === 0) return [];
    const wishes: EndWish[] = [];
    for (const unit of new Set(this.#ends)) {
      if (!unit.held || unit.phase !== 'closed') continue;
      unit.releaseAskedMs = nowMs;
      const to = unit.endAsks < this.#limits.moveAsksMax ? unit.moveTo : null;
      unit.endAsks++;
      if (to === null) unit.endIsOpen = true;
      wishes.push({ hi: unit.hi, lo: unit.lo, epoch: unit.epoch, to });
    }
    this.#ends = [];
    return wishes;
  }

  /**
   * A grant or move to an ended session is void at every index from now on. A session that isn't in the table yet (its id
   * is the index of its beginning) is to come.
   */
  #isOver({ session }: ShardRef): boolean {
    return this.#leases.tableIndex() >= session && !this.#leases.isLive(session);
  }

  #markClosed(unit: HeldUnit): void {
    unit.phase = 'closed';
    this.#closed.add(unit);
    this.#ask(unit, Number.NEGATIVE_INFINITY);
  }

  #ask(unit: HeldUnit, nowMs: number): void {
    if (this.stopping) return;
    unit.releaseAskedMs = nowMs;
    this.#ends.push(unit);
  }
}
