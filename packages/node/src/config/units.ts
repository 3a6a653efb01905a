/** How settings with a unit are written: one number, one unit, no space. A bare number is an error: 30 of what? */

const durationUnitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
export const sizePattern = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/;
export const durationExpected = 'a duration with its unit, such as 500ms, 30s or 2m';
export const sizeExpected = 'a size with its unit, such as 256KiB or 64MiB';

/** Milliseconds of a duration as written; null when it isn't one. */
export function durationMs(text: string): number | null {
  const match = durationPattern.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * durationUnitMs[match[2]!]!);
}

/** Bytes of a size as written; null when it isn't one. */
export function sizeBytes(text: string): number | null {
  const match = sizePattern.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * sizeUnitBytes[match[2]!]!);
}
