import { crc32c } from '@holdfast/model';
import type { InstallSnapshot } from './messages.ts';
import type { Snapshot } from './types.ts';

/** The whole snapshot once it is there; until then, how many of its bytes are. */
export type AssemblyResult =
  | { readonly isWhole: true; readonly snapshot: Snapshot }
  | { readonly isWhole: false; readonly offset: number };

/** Puts the pieces of one leader's snapshot together, in order. Bounded by the size that the caller allows. */
export class SnapshotAssembly {
  readonly #head: InstallSnapshot;
  readonly #data: Uint8Array;
  #received = 0;
  #sum = crc32c(new Uint8Array(0));

  /** @param first any piece; its size has been checked */
  constructor(first: InstallSnapshot) {
    this.#head = first;
    this.#data = new Uint8Array(first.bytes);
  }

  /** Is the piece one of this snapshot? Another leader's may differ in its bytes. */
  isOf(m: InstallSnapshot): boolean {
    const { from, index, snapshotTerm, bytes } = this.#head;
    return m.from === from && m.index === index && m.snapshotTerm === snapshotTerm && m.bytes === bytes;
  }

  take(m: InstallSnapshot): AssemblyResult {
    if (m.offset !== this.#received) return { isWhole: false, offset: this.#received };
    const sum = crc32c(m.data, this.#sum);
    if (sum !== m.sum || m.offset + m.data.length > m.bytes) {
      // Damaged here or before: nothing of it is trusted.
      this.#received = 0;
      this.#sum = crc32c(new Uint8Array(0));
      return { isWhole: false, offset: 0 };
    }
    this.#data.set(m.data, m.offset);
    this.#received += m.data.length;
    this.#sum = sum;
    if (this.#received < m.bytes) return { isWhole: false, offset: this.#received };
    const { index, snapshotTerm: term, conf } = m;
    return { isWhole: true, snapshot: { index, term, conf, data: this.#data } };
  }
}
