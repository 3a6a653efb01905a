import { UnitMap } from '@holdfast/model';

/**
 * Units that a holder refused: nothing of them may go there before all that had been sent by then is settled (PROTOCOL.md
 * 4.3). Frame numbers may grow as far as a stream lives, so they are kept apart from the map, whose values are small.
 */
export class UnitHolds {
  /** How many of the refusals below name a unit. */
  readonly #units = new UnitMap(16);
  /** Those that hold: oldest first, so by rising frames. */
  readonly #refusals: { readonly frame: number; readonly units: Uint32Array }[] = [];

  /** Units that are held, as far as is known without asking anew. */
  get size(): number {
    return this.#units.size;
  }

  /** @param frame the last that was sent; never below an earlier call's */
  hold(units: Uint32Array, frame: number): void {
    this.#refusals.push({ frame, units });
    for (let i = 0; i < units.length; i += 2) this.#count(units[i]!, units[i + 1]!, 1);
  }

  /** @param settled all frames up to this one are settled; never below an earlier call's */
  has(hi: number, lo: number, settled: number): boolean {
    while (this.#refusals.length > 0 && this.#refusals[0]!.frame <= settled) {
      const { units } = this.#refusals.shift()!;
      for (let i = 0; i < units.length; i += 2) this.#count(units[i]!, units[i + 1]!, -1);
    }
    return this.#units.size > 0 && this.#units.get(hi, lo) > 0;
  }

  #count(hi: number, lo: number, change: 1 | -1): void {
    const count = Math.max(0, this.#units.get(hi, lo)) + change;
    if (count > 0) this.#units.set(hi, lo, count);
    else this.#units.delete(hi, lo);
  }
}
