/** Fingerprints of sequences of records, in 53 bits: two that differ are equal by chance once in 10^15. */
export const firstHash = 0x1d_8e_4e_27_c4_7d;

const wide = 2 ** 32;

function mix(print: number, value: number): number {
  let low = Math.imul((print % wide) ^ value, 0x85ebca6b);
  low = Math.imul(low ^ (low >>> 15), 0xc2b2ae35);
  let high = Math.imul(Math.floor(print / wide) + value + 0x9e3779b9, 0x27d4eb2f);
  high = Math.imul(high ^ (high >>> 13) ^ low, 0x165667b1);
  return ((high >>> 11) & 0x1fffff) * wide + ((low ^ (low >>> 16)) >>> 0);
}

/** Of the offsets of one partition, one more appended. */
export function advance(print: number, offset: number): number {
  return mix(print, offset + 1);
}

/** Of the records of all partitions in their order, one more appended. */
export function orderAfter(print: number, partition: number, offset: number): number {
  return mix(print, Math.imul(partition + 1, 0x01000193) + offset);
}
