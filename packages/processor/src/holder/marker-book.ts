import { bucketCount, type PartitionId } from '@holdfast/model';

/** A marker that the store has of a unit's bucket. */
export interface StoredMarker {
  readonly partition: PartitionId;
  readonly offset: number;
}

/** A marker to write: everything of the partition below `offset` is durable for every unit of the bucket. */
export interface MarkWish {
  readonly bucket: number;
  readonly slot: number;
  readonly offset: number;
}

/**
 * Markers and told watermarks (PROTOCOL.md 5.7). Confirmed markers serve as the floor of all vectors of a bucket,
 * so idle units need no entry for partitions that move on without them.
 */
export class MarkerBook {
  /** Per partition slot: the durable watermark that frames told. */
  readonly #told: number[] = [];
  /** Per bucket: confirmed marker per partition slot. */
  #confirmed: (number[] | undefined)[] = new Array(bucketCount);

  /** A frame told the watermark of a partition. */
  tell(slot: number, watermark: number): void {
    if (!((this.#told[slot] ?? 0) >= watermark)) this.#told[slot] = watermark;
  }

  /** The store has this marker. */
  confirm(bucket: number, slot: number, offset: number): void {
    let row = this.#confirmed[bucket];
    if (row === undefined) this.#confirmed[bucket] = row = [];
    if (!((row[slot] ?? 0) >= offset)) row[slot] = offset;
  }

  /** Offsets below this are duplicates for every unit of the bucket; 0 for no marker. */
  floor(bucket: number, slot: number): number {
    return this.#confirmed[bucket]?.[slot] ?? 0;
  }

  /** Markers that a round may raise for the buckets it touched. */
  wishes(buckets: Iterable<number>): MarkWish[] {
    const wishes: MarkWish[] = [];
    for (const bucket of buckets) {
      for (let slot = 0; slot < this.#told.length; slot++) {
        const offset = this.#told[slot] ?? 0;
        if (offset > this.floor(bucket, slot)) wishes.push({ bucket, slot, offset });
      }
    }
    return wishes;
  }

  /** After a generation entry nothing that was told or confirmed holds any more. */
  forget(): void {
    this.#told.length = 0;
    this.#confirmed = new Array(bucketCount);
  }

  /** Partition slots that have a confirmed marker in the bucket. */
  *floors(bucket: number): Iterable<{ slot: number; offset: number }> {
    const row = this.#confirmed[bucket];
    if (row === undefined) return;
    for (let slot = 0; slot < row.length; slot++) if (row[slot]) yield { slot, offset: row[slot]! };
  }
}
