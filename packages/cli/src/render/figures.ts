/** Numbers as people read them. Unknown is `-`, never 0. */

/** Thousands apart in what stands before a decimal point. */
export function formatCount(value: number | string | null): string {
  if (value === null) return '-';
  return String(value).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
}

/** `16.1k`, `2.3M`; whole below a thousand. */
export function formatRate(value: number | null): string {
  if (value === null) return '-';
  if (value < 999.5) return String(Math.round(value));
  if (value < 999_950) return `${(value / 1_000).toFixed(1)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units, `3h12m`; below a minute whole seconds. */
export function formatAge(ms: number | null): string {
  if (ms === null) return '-';
  let rest = Math.max(0, Math.floor(ms / 1000) * 1000);
  for (const [i, [unit, unitMs]] of units.entries()) {
    if (rest < unitMs && unit !== 's') continue;
    const whole = Math.floor(rest / unitMs);
    rest -= whole * unitMs;
    const next = units[i + 1];
    const more = next === undefined ? 0 : Math.floor(rest / next[1]);
    return `${whole}${unit}${more > 0 ? `${more}${next![0]}` : ''}`;
  }
  return '0s';
}

export function formatMs(ms: number | null): string {
  return ms === null ? '-' : `${ms < 100 ? ms.toFixed(1) : Math.round(ms)}ms`;
}

/** `612M`: mebibytes, as top shows them. */
export function formatBytes(bytes: number | string | null): string {
  if (bytes === null) return '-';
  const value = Number(bytes);
  if (value < 1024) return `${value}B`;
  if (value < 1024 ** 2) return `${Math.round(value / 1024)}K`;
  if (value < 1024 ** 3) return `${Math.round(value / 1024 ** 2)}M`;
  return `${(value / 1024 ** 3).toFixed(1)}G`;
}

export function formatSeconds(seconds: number | null): string {
  return seconds === null ? '-' : `${seconds.toFixed(1)}s`;
}
