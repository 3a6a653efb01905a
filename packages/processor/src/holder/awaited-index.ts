/**
 * The table index that a holder waits for: before it, the holder takes nothing on and reports nothing durable. Most often a
 * matter of milliseconds: the store has heard of a grant before the table has. An epoch that no entry of this log gave is
 * waited for in vain.
 */
export class AwaitedIndex {
  #index = 0;
  /** By which it was raised, 0: by the table itself. */
  #epoch = 0;

  /** @param epoch of a row that another holder wrote, which stands for that index */
  raise(index: number, epoch = 0): void {
    if (index <= this.#index) return;
    this.#index = index;
    this.#epoch = epoch;
  }

  isReached(tableIndex: number): boolean {
    return tableIndex >= this.#index;
  }

  /** What is waited for, when the store's word brought it about and the table isn't there yet; else null. */
  fence(tableIndex: number): { readonly index: number; readonly epoch: number } | null {
    return this.isReached(tableIndex) || this.#epoch === 0 ? null : { index: this.#index, epoch: this.#epoch };
  }
}
