import { ByteFormatError, crc32c } from '@holdfast/model';
import type { Snapshot } from '@holdfast/raft';
import { textKey } from './binary-keys.ts';
import type { Table } from './lmdb-env.ts';
import { decodeSnapshotHead, encodeSnapshotHead } from './raft-codec.ts';

/** Written at once: handing a value to LMDB stops the thread for as long as copying it takes. */
const chunkBytes = 512 * 1024;
const headKey = textKey('snapshot');

/** Data that is on the disk, but that no head names yet. */
export interface StagedSnapshot {
  readonly slot: number;
  readonly chunks: number;
  readonly dataSum: number;
}

/** What a transaction writes: one promise per put, as LMDB gives them. */
type Puts = Promise<boolean>[];

/**
 * The snapshot of a Raft member: a head, and its data in chunks. There are two places for data: the next snapshot is put
 * chunk by chunk where the present one isn't, in transactions between others, and counts once a head names it. So a
 * snapshot of any size neither stops the thread nor keeps a vote or an entry waiting.
 */
export class StoredSnapshot {
  readonly #state: Table;
  readonly #chunks: Table;
  /** Where the present snapshot's data is. */
  #slot = 0;
  #chunkCount = 0;

  constructor(state: Table, chunks: Table) {
    this.#state = state;
    this.#chunks = chunks;
  }

  /** @throws ByteFormatError when the data is not what was written */
  async load(pause: () => Promise<void>): Promise<Snapshot | null> {
    const stored = this.#state.getBinary(headKey);
    if (stored === undefined) return null;
    const { dataLength, dataSum, slot, chunks, ...head } = decodeSnapshotHead(stored);
    const what = `the data of the snapshot at ${head.index}`;
    const data = new Uint8Array(dataLength);
    let at = 0;
    let sum = crc32c(data.subarray(0, 0));
    for (let i = 0; i < chunks; i++) {
      if (i > 0) await pause();
      const chunk = this.#chunks.getBinary(chunkKey(slot, i));
      if (chunk === undefined || at + chunk.length > dataLength) throw new ByteFormatError(`${what} is incomplete`);
      data.set(chunk, at);
      at += chunk.length;
      sum = crc32c(chunk, sum);
    }
    if (at !== dataLength || sum !== dataSum) throw new ByteFormatError(`${what} fails its checksum`);
    this.#slot = slot;
    this.#chunkCount = chunks;
    return { ...head, data };
  }

  /**
   * Writes data to the free place. One at a time, until `replace` or for good.
   * @param write carries out puts as one durable transaction
   */
  async stage(data: Uint8Array, write: (put: () => Puts) => Promise<void>): Promise<StagedSnapshot> {
    const slot = 1 - this.#slot;
    // What an earlier process or a failure left there.
    const left = [...this.#chunks.getKeys({ start: chunkKey(slot, 0), end: chunkKey(slot + 1, 0) })];
    if (left.length > 0) await write(() => left.map((key) => this.#chunks.remove(key)));
    let sum = crc32c(data.subarray(0, 0));
    let chunks = 0;
    for (let at = 0; at < data.length; at += chunkBytes) {
      const chunk = data.subarray(at, at + chunkBytes);
      sum = crc32c(chunk, sum);
      const key = chunkKey(slot, chunks++);
      await write(() => [this.#chunks.put(key, chunk)]);
    }
    return { slot, chunks, dataSum: sum };
  }

  /** The puts that make a staged snapshot the present one. After they are durable, `replaced`. */
  replace({ index, term, conf, data }: Snapshot, staged: StagedSnapshot): Puts {
    const head = { index, term, conf, dataLength: data.length, ...staged };
    const removals = Array.from({ length: this.#chunkCount }, (_, i) => this.#chunks.remove(chunkKey(this.#slot, i)));
    return [this.#state.put(headKey, encodeSnapshotHead(head)), ...removals];
  }

  replaced({ slot, chunks }: StagedSnapshot): void {
    this.#slot = slot;
    this.#chunkCount = chunks;
  }
}

function chunkKey(slot: number, chunk: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key.writeUInt8(slot, 0);
  key.writeUInt32BE(chunk, 1);
  return key;
}
