/** What a history was, as far as it decides whether it counts. */
export interface HistorySize {
  readonly virtualMs: number;
  /** Of its plan: two minutes, or ten. */
  readonly virtualMsMin: number;
  readonly records: number;
  readonly partitions: number;
  /** Faults that took effect, beside the moves that every history has. */
  readonly faults: number;
  /** Ends of sessions, and those of them without a goodbye. */
  readonly ends: number;
  readonly uncleanEnds: number;
  readonly moves: number;
}

/** Why a seed proves too little to count; null when it counts. */
export function whyThin(size: HistorySize): string | null {
  const { virtualMs, virtualMsMin, records, partitions, faults, ends, uncleanEnds, moves } = size;
  if (virtualMs < virtualMsMin) return `${virtualMs} ms of ${virtualMsMin}`;
  if (records < 2_000) return `${records} records`;
  if (partitions < 3) return `${partitions} partitions`;
  if (faults < 5) return `${faults} faults`;
  if (ends < 2) return `${ends} ends of sessions`;
  if (uncleanEnds < 1) return 'no session ended unclean';
  return moves < 1 ? 'no unit was moved' : null;
}
