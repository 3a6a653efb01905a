import { printable } from '../render/printable.ts';

/** What `dev` ends with: schema holdfast/dev/v1. */
export interface DevSummary {
  readonly schema: 'holdfast/dev/v1';
  /** Fed by this run. */
  readonly records: number;
  /** In the log, by this run and earlier ones. */
  readonly recordsInLog: number;
  /** From the nodes' start until they had drained, with all backed up and committed; without `--once` until Ctrl-C. */
  readonly seconds: number;
  readonly recordsPerSec: number;
  readonly users: number;
  readonly anomalies: number;
  /** By the generator; null for real input. */
  readonly planted: number | null;
  /** By reason; null: not recounted. */
  readonly skipped: Readonly<Record<string, number>> | null;
  readonly deadLetters: Readonly<Record<string, number>> | null;
  /** Against the recount; null: not recounted. */
  readonly lost: number | null;
  readonly duplicates: number | null;
  /** Users and fields that differ, the first ones. */
  readonly differences: readonly string[];
  readonly differencesCount: number;
  readonly nodeRestarts: number;
  /** Why nothing was recounted. */
  readonly unverified: string | null;
}

export const differencesShownMax = 10;

/** One fact a line, name first. Pure. */
export function renderSummary(summary: DevSummary): string[] {
  const { records, recordsInLog, planted, unverified } = summary;
  const lines = [
    `records ${records}${recordsInLog === records ? '' : ` (${recordsInLog} in the log)`}`,
    `seconds ${summary.seconds.toFixed(1)}`,
    `records/s ${Math.round(summary.recordsPerSec)}`,
    `users ${summary.users}`,
    `anomalies ${summary.anomalies}${planted === null ? '' : ` (planted ${planted})`}`,
    `skipped ${reasonsText(summary.skipped)}`,
    `dead letters ${reasonsText(summary.deadLetters)}`,
  ];
  if (summary.nodeRestarts > 0) lines.push(`node restarts ${summary.nodeRestarts}`);
  lines.push(`lost ${summary.lost ?? '-'}`, `duplicates ${summary.duplicates ?? '-'}`);
  if (unverified !== null) return [...lines, `not recounted: ${unverified}`];
  lines.push(
    `recounted ${recordsInLog} raw records independently: ${summary.differencesCount === 0 ? 'every user agrees' : `${summary.differencesCount} differences`}`,
  );
  for (const difference of summary.differences) lines.push(`  ${printable(difference)}`);
  const hidden = summary.differencesCount - summary.differences.length;
  return hidden > 0 ? [...lines, `  and ${hidden} more`] : lines;
}

/** `7 (no_user 4, empty_line 3)` */
function reasonsText(reasons: Readonly<Record<string, number>> | null): string {
  if (reasons === null) return '-';
  const entries = Object.entries(reasons).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  return total === 0 ? '0' : `${total} (${entries.map(([reason, count]) => `${reason} ${count}`).join(', ')})`;
}

/** Reasons of one kind, without its prefix: `dead:bad_json` → `bad_json`. */
export function reasonsOf(reasons: ReadonlyMap<string, number>, kind: 'skip' | 'dead'): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [reason, count] of reasons)
    if (reason.startsWith(`${kind}:`)) found[reason.slice(kind.length + 1)] = count;
  return found;
}

/** Everything is counted once, as far as was checked. */
export function isExact({ lost, duplicates, differencesCount }: DevSummary): boolean {
  return (lost ?? 0) === 0 && (duplicates ?? 0) === 0 && differencesCount === 0;
}
