import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coldWaits } from './cold-waits.ts';
import type { HistoryEvent, ProducedLine } from './event.ts';

const line = (key: string | null, kind = 'r'): ProducedLine => [kind, key, 1, ''];
const apply = (t: number, o: number) => ({ t, k: 'apply', u: '', p: 0, o, count: 0, print: null, order: 0, owner: '' });

test('records of all but the busiest user, until they were applied first', () => {
  const events = [
    { t: 1_000, k: 'produce', id: 1, partition: 0, records: [line('cold')] },
    { t: 1_500, k: 'produceDone', id: 1, first: 0 },
    { t: 5_000, k: 'produce', id: 2, partition: 0, records: [line('hot'), line('cold'), line('hot'), line('other')] },
    { t: 5_500, k: 'produceDone', id: 2, first: 1 },
    { t: 6_000, k: 'produce', id: 3, partition: 0, records: [line(null, '?'), line('cold', 'x'), line('hot')] },
    { t: 6_500, k: 'produceDone', id: 3, first: 5 },
    apply(7_000, 2),
    // The other one is never served; the first one again after a crash.
    apply(90_000, 2),
  ].map((event) => ({ thread: 0, event: event as unknown as HistoryEvent }));
  assert.deepEqual(coldWaits({ events, threads: [] }, 5_000, 9_000), { hotRatio: 3 / 7, waitsMs: [2], unserved: 1 });
});
