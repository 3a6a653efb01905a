import type { ShardRef } from '@holdfast/model';
import type { Frame } from '../frame.ts';
import type { Flight, HolderStream } from './holder-stream.ts';

/**
 * claiming: leased here by the table, the store hasn't confirmed it · open: accepts records ·
 * closing: refuses, its last backup is under way · closed: backed up, its end is proposed ·
 * faulty: refuses, its state can't be written or read
 */
export type UnitPhase = 'claiming' | 'open' | 'closing' | 'closed' | 'faulty';

/** A user of a unit: nearly always the only one. Its state is decoded at first use. */
export interface HeldUser {
  readonly key: Uint8Array;
  readonly job: string;
  state: unknown;
  /** The encoded state while it equals `state`; null once `state` has changed. */
  bytes: Uint8Array | null;
  decoded: boolean;
}

/** A record that waits for its unit's claim, or its next row. */
export interface WaitingRecord {
  readonly stream: HolderStream;
  readonly flight: Flight;
  readonly frame: Frame;
  readonly offset: number;
  readonly timeUnixMs: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** All that a holder knows of one unit. */
export class HeldUnit {
  readonly hi: number;
  readonly lo: number;
  readonly epoch: number;
  phase: UnitPhase = 'claiming';
  users: HeldUser[] = [];
  /** Last applied offset per partition slot: parallel arrays, since a unit sees few partitions. */
  readonly slots: number[] = [];
  readonly offsets: number[] = [];
  /** By slot: what lies below is a duplicate here, by the markers that its claim has returned; null: by those of its bucket alone. */
  floors: readonly number[] | null = null;
  /** Counts changes of the row; the row is saved when `savedVersion` equals it. */
  version = 0;
  savedVersion = 0;
  /** Last seq given to a row of this epoch. */
  seq = 0;
  /** Version within the row that is under way to the store; -1 for none. */
  flyingVersion = -1;
  /** Version that the present round must see saved; 0 for none. */
  needVersion = 0;
  inDirtyList = false;
  dirtySinceMs = 0;
  /** Sequence number of the last output that a record of this unit emitted (PROTOCOL.md 5.3). */
  lastOutput = 0;
  lastUsedMs: number;
  waiting: WaitingRecord[] | null = null;
  claimAsked = false;
  releaseAskedMs = 0;
  /** Whom the unit is closed for; null: for nobody in particular. */
  moveTo: ShardRef | null = null;
  /** How often its present end was proposed. */
  endAsks = 0;
  /** An end was proposed that doesn't name `moveTo`: nothing in the table can show that it is void. */
  endIsOpen = false;
  /** No row can be made of it: it closes without ever having been claimed, or is sealed (PROTOCOL.md 5.6). */
  rowless = false;
  lastSavedMs = 0;
  /** Records wait although the unit is open: its outputs must be acknowledged before the next row can be written. */
  paused = false;
  /** False once the unit was dropped: whatever still refers to it must let go. */
  held = true;

  constructor(hi: number, lo: number, epoch: number, nowMs: number) {
    this.hi = hi;
    this.lo = lo;
    this.epoch = epoch;
    this.lastUsedMs = nowMs;
  }

  get isOpen(): boolean {
    return this.phase === 'open';
  }

  get dirty(): boolean {
    return this.version !== this.savedVersion;
  }

  /** Last applied offset of a partition slot; -1 when the vector has none. */
  appliedOffset(slot: number): number {
    const slots = this.slots;
    for (let i = 0; i < slots.length; i++) if (slots[i] === slot) return this.offsets[i]!;
    return -1;
  }

  /** Forgets entries below what vouches for them (5.7): a generation entry has written one for each partition. */
  prune(floorOf: (slot: number) => number): void {
    const { slots, offsets } = this;
    let kept = 0;
    for (let i = 0; i < slots.length; i++) {
      if (offsets[i]! < floorOf(slots[i]!)) continue;
      slots[kept] = slots[i]!;
      offsets[kept++] = offsets[i]!;
    }
    slots.length = offsets.length = kept;
  }

  setApplied(slot: number, offset: number): void {
    const slots = this.slots;
    for (let i = 0; i < slots.length; i++) {
      if (slots[i] === slot) {
        this.offsets[i] = offset;
        return;
      }
    }
    slots.push(slot);
    this.offsets.push(offset);
  }
}
