/** What a holder wants of the store. */

/** A claim for the store: raise the unit's epoch and read its row, in one step. */
export interface ClaimWish {
  readonly hi: number;
  readonly lo: number;
  readonly epoch: number;
}

/** A row for the store. A repeat after an unclear failure is the same object again: same bytes, same seq. */
export interface RowWish extends ClaimWish {
  readonly seq: number;
  readonly row: Uint8Array;
  readonly version: number;
}
