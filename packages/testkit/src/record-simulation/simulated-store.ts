import { bucketOf, partitionKey } from '@holdfast/model';
import type { ClaimWish, RowWish } from '@holdfast/processor';

interface Row {
  epoch: number;
  seq: number;
  row: Uint8Array | null;
}

export interface SimulatedMark {
  readonly bucket: number;
  readonly partition: { readonly topicId: string; readonly partition: number };
  readonly offset: number;
}

/** The fenced store as a plain model, able to lose its last writes. */
export class SimulatedStore {
  generation = 1;
  readonly rows = new Map<string, Row>();
  readonly markers = new Map<string, number>();
  #undo: (() => void)[] = [];

  claim({ hi, lo, epoch }: ClaimWish): { fenced: number } | { row: Uint8Array | null; markers: SimulatedMark[] } {
    const key = `${hi}/${lo}`;
    const old = this.rows.get(key);
    if (old !== undefined && (old.epoch > epoch || (old.epoch === epoch && old.seq > 0))) return { fenced: old.epoch };
    if (old === undefined || old.epoch < epoch) this.#put(key, { epoch, seq: 0, row: old?.row ?? null });
    const bucket = bucketOf(hi, lo);
    const markers = [...this.markers].flatMap(([name, offset]) => {
      const [inBucket, topicId, partition] = name.split('|');
      return Number(inBucket) === bucket
        ? [{ bucket, partition: { topicId: topicId!, partition: Number(partition) }, offset }]
        : [];
    });
    return { row: this.rows.get(key)!.row, markers };
  }

  backup({ hi, lo, epoch, seq, row }: RowWish): { fenced: number } | 'ok' | 'stale' {
    const key = `${hi}/${lo}`;
    const old = this.rows.get(key);
    if (old !== undefined && old.epoch > epoch) return { fenced: old.epoch };
    if (old !== undefined && old.epoch === epoch && old.seq > seq) return 'stale';
    if (old === undefined || old.epoch < epoch || old.seq < seq) this.#put(key, { epoch, seq, row });
    return 'ok';
  }

  mark({ bucket, partition, offset }: SimulatedMark): void {
    const name = `${bucket}|${partition.topicId}|${partition.partition}`;
    const old = this.markers.get(name);
    if (old !== undefined && old >= offset) return;
    this.markers.set(name, offset);
    this.#undo.push(() => (old === undefined ? this.markers.delete(name) : this.markers.set(name, old)));
  }

  /** Least marker over the buckets that the simulation uses. */
  leastMarker(partition: { topicId: string; partition: number }, buckets: Iterable<number>): number {
    let least = Number.POSITIVE_INFINITY;
    for (const bucket of buckets) {
      least = Math.min(least, this.markers.get(`${bucket}|${partitionKey(partition as never).replace('/', '|')}`) ?? 0);
    }
    return Number.isFinite(least) ? least : 0;
  }

  /** Loses the last `count` writes: another generation. */
  lose(count: number): void {
    for (const undo of this.#undo.splice(Math.max(this.#undo.length - count, 0)).reverse()) undo();
    this.generation++;
  }

  get writes(): number {
    return this.#undo.length;
  }

  #put(key: string, row: Row): void {
    const old = this.rows.get(key);
    this.rows.set(key, row);
    this.#undo.push(() => (old === undefined ? this.rows.delete(key) : this.rows.set(key, old)));
  }
}
