import type { Unit } from '@holdfast/model';

const chunkBytesDefault = 1 << 20;
/** Before each key: the unit's two halves, and the key's length. */
const headBytes = 12;

/**
 * Users' keys with their units, outside of this thread's heap: 12 bytes and the key each. A user is named by its place.
 * As objects a few million of them would end the process, for the heap has a limit.
 */
export class PackedUsers {
  readonly #chunkBytes: number;
  readonly #chunks: Buffer[] = [];
  /** Of the last chunk. */
  #used: number;

  constructor(chunkBytes = chunkBytesDefault) {
    this.#chunkBytes = chunkBytes;
    this.#used = chunkBytes;
  }

  /** @returns the place */
  add(key: Uint8Array, unit: Unit): number {
    const bytes = headBytes + key.length;
    if (this.#used + bytes > (this.#chunks.at(-1)?.length ?? 0)) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, bytes)));
      this.#used = 0;
    }
    const chunk = this.#chunks.at(-1)!;
    const at = this.#used;
    chunk.writeUInt32LE(unit.hi, at);
    chunk.writeUInt32LE(unit.lo, at + 4);
    chunk.writeUInt32LE(key.length, at + 8);
    chunk.set(key, at + headBytes);
    this.#used += bytes;
    return (this.#chunks.length - 1) * this.#chunkBytes + at;
  }

  unit(place: number): Unit {
    const chunk = this.#chunkOf(place);
    const at = place % this.#chunkBytes;
    return { hi: chunk.readUInt32LE(at), lo: chunk.readUInt32LE(at + 4) };
  }

  key(place: number): Uint8Array {
    const chunk = this.#chunkOf(place);
    const at = place % this.#chunkBytes;
    return chunk.subarray(at + headBytes, endOf(chunk, at));
  }

  /** By the keys' bytes. */
  readonly compare = (one: number, other: number): number => {
    const a = this.#chunkOf(one);
    const b = this.#chunkOf(other);
    const atA = one % this.#chunkBytes;
    const atB = other % this.#chunkBytes;
    return a.compare(b, atB + headBytes, endOf(b, atB), atA + headBytes, endOf(a, atA));
  };

  #chunkOf(place: number): Buffer {
    return this.#chunks[Math.floor(place / this.#chunkBytes)]!;
  }
}

function endOf(chunk: Buffer, at: number): number {
  return at + headBytes + chunk.readUInt32LE(at + 8);
}
