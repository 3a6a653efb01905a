import {
  type Adoption,
  adopted,
  type Claim,
  type ClaimResult,
  type Mark,
  type Marker,
  type RowResult,
  type RowWrite,
} from '@holdfast/engine';
import { bucketCount, bucketOf, formatUnit, type PartitionId, partitionKey, type Unit } from '@holdfast/model';
import type { BentPart } from '../memory-backup-store.ts';

/** A row as it is stored; `row` null after a claim of a unit that has none. */
export interface LifeRow extends Unit {
  readonly epoch: number;
  readonly seq: number;
  readonly row: Uint8Array | null;
}

type Write =
  | { readonly kind: 'adoption'; readonly before: Adoption | null }
  | { readonly kind: 'row'; readonly unitKey: string; readonly bucket: number; readonly before: LifeRow | undefined }
  | { readonly kind: 'mark'; readonly key: string; readonly marked: readonly { bucket: number; before: number }[] };

/** Writes that a replica may not have yet. */
const journalMax = 1_500;

/**
 * A store from its beginning until it is lost: rows and markers, what it accepts, and its last writes. What takes its
 * place has another generation (PROTOCOL.md 5.8), and begins as a replica that lacked some of these.
 */
export class StoreLife {
  readonly generationId: string;
  readonly rows: Map<string, LifeRow>;
  /** Units with a stored value that can't be read, as a whole or but for epoch and seq. */
  readonly bent = new Map<string, BentPart>();
  readonly #markers = new Map<string, { readonly partition: PartitionId; readonly offsets: Float64Array }>();
  readonly #journal: Write[] = [];
  #adoption: Adoption | null = null;

  constructor(generationId: string, rows: ReadonlyMap<string, LifeRow> = new Map()) {
    this.generationId = generationId;
    this.rows = new Map(rows);
  }

  adopt(id: string, current: string): boolean {
    const isEmpty = this.rows.size === 0 && this.#markers.size === 0;
    const { continues, adoption } = adopted(this.#adoption, id, current, isEmpty);
    if (adoption !== this.#adoption) this.#note({ kind: 'adoption', before: this.#adoption });
    this.#adoption = adoption;
    return continues;
  }

  get journalLength(): number {
    return this.#journal.length;
  }

  claim({ hi, lo, epoch }: Claim): ClaimResult {
    const unitKey = formatUnit(hi, lo);
    if (this.bent.get(unitKey) === 'all') return this.#corrupt(unitKey, hi, lo);
    const stored = this.rows.get(unitKey);
    const isRepeated = stored?.epoch === epoch && stored.seq === 0;
    if (stored !== undefined && stored.epoch >= epoch && !isRepeated) return { code: 'FENCED', epoch: stored.epoch };
    if (!isRepeated) this.#put(unitKey, { hi, lo, epoch, seq: 0, row: stored?.row ?? null });
    if (this.bent.has(unitKey)) return this.#corrupt(unitKey, hi, lo);
    return { code: 'OK', row: stored?.row?.slice() ?? null, markers: this.#markersOf(bucketOf(hi, lo)) };
  }

  backup({ hi, lo, epoch, seq, row }: RowWrite): RowResult {
    const unitKey = formatUnit(hi, lo);
    if (this.bent.get(unitKey) === 'all') return this.#corrupt(unitKey, hi, lo);
    const stored = this.rows.get(unitKey);
    if (stored !== undefined) {
      if (stored.epoch > epoch) return { code: 'FENCED', epoch: stored.epoch };
      if (stored.epoch === epoch && stored.seq > seq) return { code: 'STALE' };
      if (stored.epoch === epoch && stored.seq === seq) return { code: 'OK' };
    }
    this.bent.delete(unitKey);
    this.#put(unitKey, { hi, lo, epoch, seq, row: row.slice() });
    return { code: 'OK' };
  }

  mark(marks: readonly Mark[]): void {
    const raised = new Map<string, { bucket: number; before: number }[]>();
    for (const { bucket, partition, offset } of marks) {
      const key = partitionKey(partition);
      const offsets = this.#offsets(key, partition);
      const before = offsets[bucket]!;
      if (before >= offset) continue;
      offsets[bucket] = offset;
      const list = raised.get(key);
      if (list === undefined) raised.set(key, [{ bucket, before }]);
      else list.push({ bucket, before });
    }
    for (const [key, marked] of raised) this.#note({ kind: 'mark', key, marked });
  }

  leastMarker(partition: PartitionId): number {
    const known = this.#markers.get(partitionKey(partition));
    return known === undefined ? 0 : known.offsets.reduce((least, offset) => Math.min(least, offset), Number.MAX_VALUE);
  }

  marker(bucket: number, key: string): number {
    return this.#markers.get(key)?.offsets[bucket] ?? 0;
  }

  /** A replica takes over that lacks the last `count` writes to these buckets. */
  successor(generationId: string, count: number, isLost: (bucket: number) => boolean): StoreLife {
    const next = new StoreLife(generationId, this.rows);
    next.#adoption = this.#adoption;
    for (const [unit, part] of this.bent) next.bent.set(unit, part);
    for (const [key, { partition, offsets }] of this.#markers)
      next.#markers.set(key, { partition, offsets: offsets.slice() });
    let left = count;
    for (let i = this.#journal.length - 1; i >= 0 && left > 0; i--) if (next.#undo(this.#journal[i]!, isLost)) left--;
    return next;
  }

  #undo(write: Write, isLost: (bucket: number) => boolean): boolean {
    if (write.kind === 'adoption') {
      this.#adoption = write.before;
      return true;
    }
    if (write.kind === 'row') {
      if (!isLost(write.bucket)) return false;
      if (write.before === undefined) this.rows.delete(write.unitKey);
      else this.rows.set(write.unitKey, write.before);
      return true;
    }
    let isAny = false;
    for (const { bucket, before } of write.marked) {
      if (!isLost(bucket)) continue;
      this.#markers.get(write.key)!.offsets[bucket] = before;
      isAny = true;
    }
    return isAny;
  }

  #corrupt(unitKey: string, hi: number, lo: number): Extract<ClaimResult, { code: 'CORRUPT' }> {
    return { code: 'CORRUPT', problem: `${unitKey} is bent`, markers: this.#markersOf(bucketOf(hi, lo)) };
  }

  #put(unitKey: string, row: LifeRow): void {
    this.#note({ kind: 'row', unitKey, bucket: bucketOf(row.hi, row.lo), before: this.rows.get(unitKey) });
    this.rows.set(unitKey, row);
  }

  #note(write: Write): void {
    this.#journal.push(write);
    if (this.#journal.length > 2 * journalMax) this.#journal.splice(0, journalMax);
  }

  #offsets(key: string, partition: PartitionId): Float64Array {
    let known = this.#markers.get(key);
    if (known === undefined) this.#markers.set(key, (known = { partition, offsets: new Float64Array(bucketCount) }));
    return known.offsets;
  }

  #markersOf(bucket: number): Marker[] {
    const markers: Marker[] = [];
    for (const { partition, offsets } of this.#markers.values())
      if (offsets[bucket]! > 0) markers.push({ partition, offset: offsets[bucket]! });
    return markers;
  }
}
