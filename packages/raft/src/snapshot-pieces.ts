import { crc32c } from '@holdfast/model';
import type { Snapshot } from './types.ts';

/** A part of a snapshot's data, and the checksum of all data up to its end. */
export interface SnapshotPiece {
  readonly offset: number;
  /** A view, not a copy. */
  readonly data: Uint8Array;
  readonly sum: number;
}

/** A snapshot cut into pieces of one size. Sums are worked out as they are asked for, once for all followers. */
export class SnapshotPieces {
  readonly snapshot: Snapshot;
  readonly count: number;
  readonly #pieceBytes: number;
  readonly #sums: number[] = [];

  constructor(snapshot: Snapshot, pieceBytes: number) {
    this.snapshot = snapshot;
    this.#pieceBytes = pieceBytes;
    // An empty state is sent too, as one empty piece.
    this.count = Math.max(1, Math.ceil(snapshot.data.length / pieceBytes));
  }

  piece(at: number): SnapshotPiece {
    while (this.#sums.length <= at) {
      const next = this.#sums.length;
      this.#sums.push(crc32c(this.#data(next), next === 0 ? crc32c(new Uint8Array(0)) : this.#sums[next - 1]));
    }
    return { offset: at * this.#pieceBytes, data: this.#data(at), sum: this.#sums[at]! };
  }

  /** Of the piece that a follower with the first `offset` bytes needs. */
  indexOf(offset: number): number {
    return Math.min(this.count - 1, Math.floor(offset / this.#pieceBytes));
  }

  #data(at: number): Uint8Array {
    return this.snapshot.data.subarray(at * this.#pieceBytes, (at + 1) * this.#pieceBytes);
  }
}

/** So many times the first wait for an answer is the longest: at 51 s, a piece of 256 KiB gets through 40 kbit/s in time. */
const waitFactorMax = 64;

/**
 * A snapshot on its way to one follower: pieces are sent ahead of their answers up to a limit, in order. What isn't
 * answered in time is sent again from the last answer on: one piece, and with each quick answer one more. Each wait is
 * twice as long as it took so far: a slow link isn't filled with what is on it already, and on a fast one a loss is found
 * at once.
 */
export class SnapshotTransfer {
  readonly pieces: SnapshotPieces;
  /** The follower has this many bytes in memory. */
  ackedBytes = 0;
  #acked = 0;
  #next = 0;
  #ahead: number;
  readonly #aheadMax: number;
  /** With pieces under way, since the last answer that was news. */
  #ticks = 0;
  #retryAtTicks: number;
  readonly #retryTicks: number;

  constructor(pieces: SnapshotPieces, aheadMax: number, retryTicks: number) {
    this.pieces = pieces;
    this.#aheadMax = Math.max(1, aheadMax);
    this.#ahead = this.#aheadMax;
    this.#retryTicks = retryTicks;
    this.#retryAtTicks = retryTicks;
  }

  get index(): number {
    return this.pieces.snapshot.index;
  }

  get isPieceDue(): boolean {
    return this.#next < this.pieces.count && this.#next - this.#acked < this.#ahead;
  }

  /** Is nothing under way, or was it not answered in time? */
  get isStalled(): boolean {
    return this.#next === this.#acked || this.#ticks >= this.#retryAtTicks;
  }

  tick(): void {
    if (this.#next > this.#acked) this.#ticks++;
  }

  takePiece(): SnapshotPiece {
    return this.pieces.piece(this.#next++);
  }

  /** The follower has the first `offset` bytes. */
  answered(offset: number): void {
    if (offset === this.ackedBytes || offset > this.pieces.snapshot.data.length) return;
    const at = this.pieces.indexOf(offset);
    // Less than before: the follower was started anew, or found its pieces damaged.
    this.#next = offset < this.ackedBytes ? at : Math.max(this.#next, at);
    this.#acked = at;
    this.ackedBytes = offset;
    // On a slow link more of them would only wait there, and be sent again meanwhile.
    if (this.#ticks < this.#retryTicks) this.#ahead = Math.min(this.#aheadMax, this.#ahead + 1);
    this.#retryAtTicks = this.#waitTicks(2 * this.#ticks);
    this.#ticks = 0;
  }

  /** Pieces or answers were lost, as it seems. */
  rewind(): void {
    if (this.#next === this.#acked) return;
    this.#next = this.#acked;
    this.#ahead = 1;
    this.#retryAtTicks = this.#ticks + this.#waitTicks(this.#ticks);
  }

  #waitTicks(wishedTicks: number): number {
    return Math.min(Math.max(wishedTicks, this.#retryTicks), waitFactorMax * this.#retryTicks);
  }
}
