import { UnitMap } from '@holdfast/model';
import type { PartitionReading } from './partition-reading.ts';

/** A record that waits for a holder. Its bytes are its own. */
export interface ParkedRecord {
  readonly partition: PartitionReading;
  readonly offset: number;
  readonly timeUnixMs: number;
  /** Key bytes, then value bytes. */
  readonly bytes: Uint8Array;
  readonly keyLength: number;
  /** False for a record without a value. */
  readonly hasValue: boolean;
}

/** A unit whose records wait: for a grant, for another stream to settle, for a stream to come up. */
export interface ParkedUnit {
  readonly hi: number;
  readonly lo: number;
  /** In offset order within each partition. */
  records: ParkedRecord[];
  askedAtMs: number;
  /** When the first of them came back from a holder; 0: none did. */
  refusedAtMs: number;
  /** Under which lease they came back last, and until when they stay here while it is the unit's. */
  refusedEpoch: number;
  retryAtMs: number;
}

/**
 * Records that can't go to a holder now, in order, bounded by count and bytes (PROTOCOL.md 4.4): when it is full, the
 * partition that brings more pauses. Refused records come back whatever the level; they were counted when they left.
 */
export class Parking {
  readonly #map = new UnitMap(256);
  readonly #units: (ParkedUnit | null)[] = [];
  readonly #free: number[] = [];
  count = 0;
  bytes = 0;

  get unitCount(): number {
    return this.#map.size;
  }

  get(hi: number, lo: number): ParkedUnit | null {
    const slot = this.#map.get(hi, lo);
    return slot < 0 ? null : this.#units[slot]!;
  }

  /** Adds a record in its place by offset. */
  add(hi: number, lo: number, record: ParkedRecord): ParkedUnit {
    let unit = this.get(hi, lo);
    if (unit === null) {
      unit = {
        hi,
        lo,
        records: [],
        askedAtMs: Number.NEGATIVE_INFINITY,
        refusedAtMs: 0,
        refusedEpoch: 0,
        retryAtMs: 0,
      };
      const slot = this.#free.pop() ?? this.#units.length;
      this.#units[slot] = unit;
      this.#map.set(hi, lo, slot);
    }
    const { records } = unit;
    let at = records.length;
    for (
      let i = at - 1;
      i >= 0 && !(records[i]!.partition === record.partition && records[i]!.offset < record.offset);
      i--
    ) {
      if (records[i]!.partition === record.partition) at = i;
    }
    if (at === records.length) records.push(record);
    else records.splice(at, 0, record);
    this.count++;
    this.bytes += record.bytes.length;
    record.partition.parkedCount++;
    return unit;
  }

  /** A record of the unit has come back from a holder; the first did at `sinceMs`. */
  refused(hi: number, lo: number, sinceMs: number, epoch: number, retryAtMs: number): void {
    const unit = this.get(hi, lo)!;
    if (unit.refusedAtMs === 0) unit.refusedAtMs = sinceMs;
    unit.refusedEpoch = epoch;
    unit.retryAtMs = retryAtMs;
  }

  remove(unit: ParkedUnit): void {
    for (const record of unit.records) this.#forget(record);
    const slot = this.#map.get(unit.hi, unit.lo);
    this.#map.delete(unit.hi, unit.lo);
    this.#units[slot] = null;
    this.#free.push(slot);
  }

  /** The first `count` records have left, and others stay. */
  removeFirst(unit: ParkedUnit, count: number): void {
    for (const record of unit.records.splice(0, count)) this.#forget(record);
  }

  /** Drops all records of a partition: it goes back, or is lost. */
  dropPartition(partition: PartitionReading): void {
    if (partition.parkedCount === 0) return;
    for (const unit of this) {
      const kept = unit.records.filter((record) => record.partition !== partition);
      if (kept.length === unit.records.length) continue;
      if (kept.length === 0) {
        this.remove(unit);
        continue;
      }
      for (const record of unit.records) if (record.partition === partition) this.#forget(record);
      unit.records = kept;
    }
  }

  /** Least parked offset of a partition; +Infinity for none. */
  leastOffset(partition: PartitionReading): number {
    let least = Number.POSITIVE_INFINITY;
    if (partition.parkedCount === 0) return least;
    for (const unit of this) {
      for (const record of unit.records) {
        if (record.partition === partition && record.offset < least) least = record.offset;
      }
    }
    return least;
  }

  *[Symbol.iterator](): Iterator<ParkedUnit> {
    for (const unit of this.#units) if (unit) yield unit;
  }

  #forget(record: ParkedRecord): void {
    this.count--;
    this.bytes -= record.bytes.length;
    record.partition.parkedCount--;
  }
}
