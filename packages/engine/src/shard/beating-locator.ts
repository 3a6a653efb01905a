import type { KeyLocator } from '@holdfast/processor';

/** A locator that beats at each record: a fetch of records whose keys are slow to find is progress too. */
export class BeatingLocator implements KeyLocator {
  readonly #locator: KeyLocator;
  readonly #values: Float64Array;
  readonly #slot: number;

  /** @param slot of the heartbeat within `values` */
  constructor(locator: KeyLocator, values: Float64Array, slot: number) {
    this.#locator = locator;
    this.#values = values;
    this.#slot = slot;
  }

  get keyBytes(): Uint8Array {
    return this.#locator.keyBytes;
  }

  get keyStart(): number {
    return this.#locator.keyStart;
  }

  get keyEnd(): number {
    return this.#locator.keyEnd;
  }

  get reason(): string {
    return this.#locator.reason;
  }

  locate(bytes: Uint8Array, start: number, end: number): 0 | 1 | 2 {
    this.#values[this.#slot]!++;
    return this.#locator.locate(bytes, start, end);
  }
}
