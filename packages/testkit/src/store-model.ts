import type { Claim, ClaimResult, Mark, Marker, RowResult, RowWrite, StoreAnswer, StoredRow } from '@holdfast/engine';
import { bucketCount, bucketOf, type PartitionId, partitionKey, type Unit } from '@holdfast/model';

/** What rows are ordered by: the epoch first. */
interface Stamp {
  readonly epoch: number;
  readonly seq: number;
}

/** A claim is for (epoch, 0), and brings no row. */
interface Request extends Unit, Stamp {
  readonly write: RowWrite | null;
}

/** All that a store was asked to store, in order, whether it did or not. */
export interface Asked {
  readonly requests: readonly Request[];
  readonly marks: readonly Mark[];
}

/**
 * What a store has to answer in one life, by the text of PROTOCOL.md 5.1, 5.2, 5.7 and 5.8: the judge of all stores in
 * their conformance suite. It stores nothing: it keeps what it was asked, and finds each answer anew in all of that. Why
 * none of what there is beside it is the judge: `MemoryBackupStore` and `StoreLife` of the cluster simulation are stores,
 * with the same steps in the same order, so a rule that is misread in one is so in the other; `StoreAcceptance` goes
 * along with what the store says, for histories that are too long for this, and knows neither rows nor markers.
 */
export class StoreModel {
  readonly generationId: string;
  readonly #requests: Request[];
  readonly #marks: Mark[];

  /** @param asked what a life begins with: a replica had heard of no more of the life before */
  constructor(generationId: string, asked: Asked = { requests: [], marks: [] }) {
    this.generationId = generationId;
    this.#requests = [...asked.requests];
    this.#marks = [...asked.marks];
  }

  /** What it was asked until now. */
  get asked(): Asked {
    return { requests: [...this.#requests], marks: [...this.#marks] };
  }

  claim(generationId: string, claims: readonly Claim[]): StoreAnswer<ClaimResult> {
    return this.#answer(generationId, claims, ({ hi, lo, epoch }) => {
      const request: Request = { hi, lo, epoch, seq: 0, write: null };
      const stored = this.#stored(request);
      this.#requests.push(request);
      if (stored !== null && isGreater(stored, request)) return { code: 'FENCED', epoch: stored.epoch };
      return { code: 'OK', row: this.#row(request)?.row ?? null, markers: this.#markersOf(bucketOf(hi, lo)) };
    });
  }

  backup(generationId: string, writes: readonly RowWrite[]): StoreAnswer<RowResult> {
    return this.#answer(generationId, writes, (write) => {
      const stored = this.#stored(write);
      this.#requests.push({ hi: write.hi, lo: write.lo, epoch: write.epoch, seq: write.seq, write });
      if (stored !== null && write.epoch < stored.epoch) return { code: 'FENCED', epoch: stored.epoch };
      if (stored !== null && isGreater(stored, write)) return { code: 'STALE' };
      return { code: 'OK' };
    });
  }

  mark(generationId: string, marks: readonly Mark[]): StoreAnswer<'ok'> {
    return this.#answer(generationId, marks, (mark) => {
      this.#marks.push(mark);
      return 'ok';
    });
  }

  leastMarker(generationId: string, partition: PartitionId): StoreAnswer<number> {
    return this.#answer(generationId, [partition], () => {
      const ofBuckets = new Array<number>(bucketCount).fill(0);
      for (const { bucket, offset } of this.#marksOf(partition))
        ofBuckets[bucket] = Math.max(ofBuckets[bucket]!, offset);
      return Math.min(...ofBuckets);
    });
  }

  highestEpoch(): number {
    return Math.max(0, ...this.#requests.map(({ epoch }) => epoch));
  }

  read(unit: Unit): StoredRow | null {
    const stored = this.#stored(unit);
    if (stored === null) return null;
    const { row = null, savedUnixMs = 0 } = this.#row(unit) ?? {};
    return { hi: unit.hi, lo: unit.lo, ...stored, row, savedUnixMs };
  }

  #answer<T, R>(generationId: string, asked: readonly T[], resultOf: (one: T) => R): StoreAnswer<R> {
    if (generationId !== this.generationId) return { code: 'GENERATION', generationId: this.generationId };
    return { code: 'OK', results: asked.map(resultOf) };
  }

  #ofUnit({ hi, lo }: Unit): Request[] {
    return this.#requests.filter((request) => request.hi === hi && request.lo === lo);
  }

  /** The greatest that was ever asked for: what is accepted is that at its time, and what is refused never is. */
  #stored(unit: Unit): Stamp | null {
    const requests = this.#ofUnit(unit);
    const greatest = requests.find((one) => !requests.some((other) => isGreater(other, one)));
    return greatest === undefined ? null : { epoch: greatest.epoch, seq: greatest.seq };
  }

  /** The last row that was greater than all before it, claims or rows. A claim leaves the row as it is. */
  #row(unit: Unit): RowWrite | null {
    const requests = this.#ofUnit(unit);
    const isAccepted = (one: Request, at: number) => requests.slice(0, at).every((before) => isGreater(one, before));
    return requests.findLast((one, at) => one.write !== null && isAccepted(one, at))?.write ?? null;
  }

  #marksOf(partition: PartitionId): Mark[] {
    return this.#marks.filter((mark) => partitionKey(mark.partition) === partitionKey(partition));
  }

  /** Of each partition the greatest; in no order. */
  #markersOf(bucket: number): Marker[] {
    const ofBucket = this.#marks.filter((mark) => mark.bucket === bucket);
    const partitions = new Map(ofBucket.map(({ partition }) => [partitionKey(partition), partition]));
    return [...partitions.values()].map((partition) => {
      const offsets = this.#marksOf(partition).filter((mark) => mark.bucket === bucket);
      return { partition, offset: Math.max(...offsets.map(({ offset }) => offset)) };
    });
  }
}

function isGreater(one: Stamp, than: Stamp): boolean {
  return one.epoch > than.epoch || (one.epoch === than.epoch && one.seq > than.seq);
}
