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

/**
 * A snapshot on its way to one follower: pieces are sent ahead of their answers up to a limit, in order. What isn't
 * answered in time is sent again from the last answer on.
 */
export class SnapshotTransfer {
  readonly pieces: SnapshotPieces;
  /** The follower has this many bytes in memory. */
  ackedBytes = 0;
  /** Since the last answer that was news. */
  ticks = 0;
  #acked = 0;
  #next = 0;
  readonly #aheadMax: number;

  constructor(pieces: SnapshotPieces, aheadMax: number) {
    this.pieces = pieces;
    this.#aheadMax = Math.max(1, aheadMax);
  }

  get index(): number {
    return this.pieces.snapshot.index;
  }

  get isPieceDue(): boolean {
    return this.#next < this.pieces.count && this.#next - this.#acked < this.#aheadMax;
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
    this.ticks = 0;
  }

  /** Pieces or answers were lost, as it seems. */
  rewind(): void {
    this.#next = this.#acked;
    this.ticks = 0;
  }
}
