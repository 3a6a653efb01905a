import { bucketOf, type PartitionId, type TopicId } from '@holdfast/model';
import type { ClaimWish, RowWish } from '@holdfast/processor';

interface Row {
  epoch: number;
  seq: number;
  row: Uint8Array | null;
}

export interface SimulatedMark {
  readonly bucket: number;
  readonly partition: PartitionId;
  readonly offset: number;
}

/** How to take a write back. */
interface Undo {
  readonly bucket: number;
  readonly run: () => void;
}

/** The fenced store as a plain model, able to lose its last writes. */
export class SimulatedStore {
  generation = 1;
  readonly rows = new Map<string, Row>();
  readonly markers = new Map<string, number>();
  marksSinceLoss = 0;
  #undo: Undo[] = [];

  claim({ hi, lo, epoch }: ClaimWish): { fenced: number } | { row: Uint8Array | null; markers: SimulatedMark[] } {
    const key = `${hi}/${lo}`;
    const old = this.rows.get(key);
    if (old !== undefined && (old.epoch > epoch || (old.epoch === epoch && old.seq > 0))) return { fenced: old.epoch };
    const bucket = bucketOf(hi, lo);
    if (old === undefined || old.epoch < epoch) this.#put(bucket, key, { epoch, seq: 0, row: old?.row ?? null });
    const markers = [...this.markers].flatMap(([name, offset]) => {
      const [inBucket, topicId, partition] = name.split('|');
      return Number(inBucket) === bucket
        ? [{ bucket, partition: { topicId: topicId as TopicId, partition: Number(partition) }, offset }]
        : [];
    });
    return { row: this.rows.get(key)!.row, markers };
  }

  backup({ hi, lo, epoch, seq, row }: RowWish): { fenced: number } | 'ok' | 'stale' {
    const key = `${hi}/${lo}`;
    const old = this.rows.get(key);
    if (old !== undefined && old.epoch > epoch) return { fenced: old.epoch };
    if (old !== undefined && old.epoch === epoch && old.seq > seq) return 'stale';
    if (old === undefined || old.epoch < epoch || old.seq < seq) {
      this.#put(bucketOf(hi, lo), key, { epoch, seq, row });
    }
    return 'ok';
  }

  mark({ bucket, partition, offset }: SimulatedMark): void {
    const name = markerName(bucket, partition);
    const old = this.markers.get(name);
    if (old !== undefined && old >= offset) return;
    this.markers.set(name, offset);
    this.marksSinceLoss++;
    const run = () => (old === undefined ? this.markers.delete(name) : this.markers.set(name, old));
    this.#undo.push({ bucket, run });
  }

  /** Least marker over the buckets that the simulation uses. */
  leastMarker(partition: PartitionId, buckets: Iterable<number>): number {
    let least = Number.POSITIVE_INFINITY;
    for (const bucket of buckets) least = Math.min(least, this.markers.get(markerName(bucket, partition)) ?? 0);
    return Number.isFinite(least) ? least : 0;
  }

  /** Loses the last `count` writes, of all buckets or of one: another generation. */
  lose(count: number, bucket: number | null): void {
    const kept: Undo[] = [];
    for (const undo of this.#undo.reverse()) {
      if (count > 0 && (bucket === null || undo.bucket === bucket)) {
        undo.run();
        count--;
      } else kept.push(undo);
    }
    this.#undo = kept.reverse();
    this.marksSinceLoss = 0;
    this.generation++;
  }

  /** Writes that can be lost. */
  get writes(): number {
    return this.#undo.length;
  }

  writesIn(bucket: number): number {
    return this.#undo.reduce((n, undo) => (undo.bucket === bucket ? n + 1 : n), 0);
  }

  #put(bucket: number, key: string, row: Row): void {
    const old = this.rows.get(key);
    this.rows.set(key, row);
    this.#undo.push({ bucket, run: () => (old === undefined ? this.rows.delete(key) : this.rows.set(key, old)) });
  }
}

function markerName(bucket: number, { topicId, partition }: PartitionId): string {
  return `${bucket}|${topicId}|${partition}`;
}
