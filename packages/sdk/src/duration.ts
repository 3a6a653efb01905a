const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const order = ['d', 'h', 'm', 's', 'ms'];

/** How durations are written, for error texts. */
export const durationExpected = "a duration such as '30s', '10m', '1h30m' or '7d'";

/** Milliseconds of a duration as written; null when it isn't one. Units fall from left to right, each at most once. */
export function tryParseDuration(text: unknown): number | null {
  if (typeof text !== 'string' || text === '' || text.length > 64) return null;
  let ms = 0;
  let rank = -1;
  let rest = text;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
    if (match === null) return null;
    const unit = match[2]!;
    if (order.indexOf(unit) <= rank) return null;
    rank = order.indexOf(unit);
    ms += Number(match[1]) * unitMs[unit]!;
    rest = rest.slice(match[0].length);
  }
  return Number.isSafeInteger(ms) ? ms : null;
}

/**
 * Milliseconds of a duration as written: `30s`, `10m`, `7d`, `1h30m`, `500ms`.
 * @throws RangeError naming the text and examples
 */
export function parseDuration(text: string): number {
  const ms = tryParseDuration(text);
  if (ms === null) throw new RangeError(`'${text}' is not ${durationExpected}`);
  return ms;
}
