import { counts, type ProducedRecord } from '@holdfast/testkit';
import { callsOf, type History } from './read-history.ts';

export interface ColdWaits {
  /** Part of the records that the busiest user had. */
  readonly hotRatio: number;
  /** Records of all other users that count, from just before their append until a job first applied them; by length. */
  readonly waitsMs: readonly number[];
  /** How many of them no job ever applied. */
  readonly unserved: number;
}

/** How long users wait while another one has most of the traffic: of the records appended between these moments. */
export function coldWaits(history: History, fromUs: number, toUs: number): ColdWaits {
  const appliedUs = new Map<string, number>();
  for (const { event } of history.events) {
    if (event.k !== 'apply') continue;
    const at = `${event.p}/${event.o}`;
    if (!appliedUs.has(at)) appliedUs.set(at, event.t);
  }
  const records = callsOf(history, 'produce').flatMap(({ asked: { t, partition, records: lines }, done }) =>
    done === null || t < fromUs || t > toUs
      ? []
      : lines.map(([kind, key], i) => ({
          t,
          kind: kind as ProducedRecord['kind'],
          key,
          at: `${partition}/${done.first + i}`,
        })),
  );
  const sizes = new Map<string, number>();
  for (const { key } of records) if (key !== null) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const [hot, most] = [...sizes].sort(([, a], [, b]) => b - a)[0] ?? [null, 0];
  const waitsMs: number[] = [];
  let unserved = 0;
  for (const { t, kind, key, at } of records) {
    if (key === hot || !counts(kind)) continue;
    const servedUs = appliedUs.get(at);
    if (servedUs === undefined) unserved++;
    else waitsMs.push((servedUs - t) / 1_000);
  }
  return {
    hotRatio: records.length === 0 ? 0 : most / records.length,
    waitsMs: waitsMs.sort((a, b) => a - b),
    unserved,
  };
}
