import type { TableView } from '@holdfast/engine';
import { headerAt, LeaseTableReader, storePair } from '@holdfast/lease';
import { type Rng, randomBelow } from '@holdfast/model';

/** Most reads that still see the table of before. */
const readsMax = 24;

/**
 * A shard's view of the lease table as another thread has it: what the control thread writes appears between any two
 * reads, in the midst of whatever the shard does, not only between two of its tasks.
 */
export class LaggingTable implements TableView {
  readonly #rng: Rng;
  /** Over the memory that the control thread writes. */
  readonly #live: LeaseTableReader;
  /** Over a copy, which is what the shard sees. */
  readonly #seen: LeaseTableReader;
  #liveWords: Int32Array;
  #seenWords: Int32Array;
  #readsLeft = 0;
  /** At so many reads left the last entry's effects are seen, and its index isn't; -1: never. */
  #effectsAt = -1;

  constructor(buffer: SharedArrayBuffer, rng: Rng) {
    const copy = copyOf(buffer);
    this.#rng = rng;
    this.#live = new LeaseTableReader(buffer);
    this.#seen = new LeaseTableReader(copy);
    this.#liveWords = new Int32Array(buffer);
    this.#seenWords = new Int32Array(copy);
  }

  attach(buffer: SharedArrayBuffer): void {
    const copy = copyOf(buffer);
    this.#live.attach(buffer);
    this.#seen.attach(copy);
    this.#liveWords = new Int32Array(buffer);
    this.#seenWords = new Int32Array(copy);
    this.#readsLeft = 0;
  }

  /** Of the table that the control thread has. */
  liveIndex(): number {
    return this.#live.tableIndex();
  }

  /** A message has come that was sent when the table was at `index`: so much is seen. */
  showUpTo(index: number): void {
    if (this.#seen.tableIndex() < index) this.#show();
  }

  tableIndex(): number {
    return this.#next().tableIndex();
  }

  uncleanCount(): number {
    return this.#next().uncleanCount();
  }

  uncleanIndex(): number {
    return this.#next().uncleanIndex();
  }

  forcedCount(): number {
    return this.#next().forcedCount();
  }

  generationIndex(): number {
    return this.#next().generationIndex();
  }

  quarantineIndex(): number {
    return this.#next().quarantineIndex();
  }

  epochBase(): number {
    return this.#next().epochBase();
  }

  generation(): number {
    return this.#next().generation();
  }

  isLive(session: number): boolean {
    return this.#next().isLive(session);
  }

  visitSome(place: number, count: number, visit: (hi: number, lo: number) => void): number {
    return this.#next().visitSome(place, count, visit);
  }

  lookup(hi: number, lo: number): boolean {
    return this.#next().lookup(hi, lo);
  }

  get session(): number {
    return this.#seen.session;
  }

  get shard(): number {
    return this.#seen.shard;
  }

  get epoch(): number {
    return this.#seen.epoch;
  }

  /** The reader, when the control thread has written before this read or hasn't. */
  #next(): LeaseTableReader {
    if (this.#readsLeft > 0) {
      if (--this.#readsLeft === 0) this.#show();
      else if (this.#readsLeft === this.#effectsAt) this.#showEffects();
    } else if (this.#seen.tableIndex() !== this.#live.tableIndex()) {
      this.#readsLeft = randomBelow(this.#rng, readsMax);
      this.#effectsAt = randomBelow(this.#rng, 3) === 0 ? randomBelow(this.#rng, readsMax) : -1;
      if (this.#readsLeft === 0) this.#show();
    }
    return this.#seen;
  }

  /** The control thread is in the midst of its entries: an index is told only after what it stands for. */
  #showEffects(): void {
    const index = this.#live.tableIndex() - 1;
    if (index < this.#seen.tableIndex()) return;
    this.#seenWords.set(this.#liveWords);
    storePair(this.#seenWords, headerAt.tableIndexPair, index);
  }

  #show(): void {
    this.#seenWords.set(this.#liveWords);
    this.#readsLeft = 0;
  }
}

function copyOf(buffer: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(buffer.byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}
