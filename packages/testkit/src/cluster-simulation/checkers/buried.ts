/** Records that would count, but were buried: their unit is in quarantine. */
export interface Buried {
  isBuried(partition: number, offset: number): boolean;
  /** Whether a row of the unit was bent: it may have records that were buried too (PROTOCOL.md 5.6). */
  wasBent(unit: string): boolean;
}

/** Of histories without quarantine. */
export const nothingBuried: Buried = { isBuried: () => false, wasBent: () => false };

/** Whether those that a state lacks, of a user's records in a partition that count, are all buried. */
export function areBuried(
  buried: Buried,
  partition: number,
  offsets: readonly number[],
  from: number,
  end: number,
): boolean {
  for (let place = from; place < end; place++) if (!buried.isBuried(partition, offsets[place]!)) return false;
  return true;
}
