import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../harness/scenario.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { History } from '../history/read-history.ts';
import { writtenWhileSlow } from './f22-failing-disk.ts';
import { durableAppliedAgain } from './f29-lost-store.ts';
import { failover } from './f30-failover.ts';
import { brokersRestarted } from './f34-brokers.ts';
import { largeRecords } from './f39-large-records.ts';

/** These events, a millisecond apart. */
function historyOf(events: readonly Record<string, unknown>[]): History {
  const recorded = events.map((event, i) => ({
    thread: 0,
    event: { t: i * 1_000, ...event } as unknown as HistoryEvent,
  }));
  return { events: recorded, threads: [''] };
}

/** What a scenario says of these events. */
function judged({ judge }: Scenario, events: readonly Record<string, unknown>[]) {
  return judge!(historyOf(events));
}

const fault = (text: string) => ({ k: 'fault', text });

test('F26: a disk to which nothing was written while it was slow', () => {
  const entry = (index: number) => ({ k: 'entry', node: 'n1', index, term: 1, data: '' });
  const slow = (id: string) => fault(`syncs of ${id} take 1 to 3 s`);
  const well = (id: string) => fault(`syncs of ${id} take no time any more`);
  const seen = (...events: Record<string, unknown>[]) => writtenWhileSlow(historyOf(events)).seen.entriesWhileSlow;
  assert.equal(seen(entry(1)), 0);
  assert.equal(seen(slow('n1'), entry(1), entry(2), entry(1), well('n1'), slow('n2'), entry(3), well('n2')), 1);
  assert.equal(seen(slow('n1'), entry(1), well('n1'), entry(2), slow('n2'), entry(2), well('n2'), entry(3)), 0);
});

test('F29: what was committed is applied again only where the store lost it', () => {
  const apply = (o: number) => ({ k: 'apply', u: '', p: 0, o, count: 0, print: null, order: 0, owner: '' });
  const commit = [
    { k: 'commit', id: 1, commits: [['t', 0, 5, 'life', 1]] },
    { k: 'commitDone', id: 1, results: ['ok'] },
  ];
  const loss = fault('FLUSHALL, with so many keys: 7');
  const again = (...events: Record<string, unknown>[]) =>
    durableAppliedAgain(historyOf(events)).seen.durableAppliedAgain;
  assert.equal(again(apply(4), ...commit, apply(4), loss, apply(5)), 0, 'none below what was committed');
  assert.equal(again(apply(4), ...commit, loss, apply(4), apply(3), apply(6)), 2);
  assert.equal(again(apply(4), loss, ...commit, apply(4)), 0, 'committed only afterwards');
});

test('F30: rows that were lost, and rows that the old master took', () => {
  let id = 0;
  const backup = (generation: string, code: string) => [
    { k: 'backup', id: ++id, generation, rows: [] },
    { k: 'backupDone', id, code: 'OK', results: [[code]] },
  ];
  const lag = (generation: string, end: string) => [
    fault('the replica hears nothing any more'),
    ...backup(generation, 'OK'),
    fault(end),
  ];
  const first = lag('a', 'kill -9 of the master, whose replica lags');
  const second = [
    ...lag('b', 'SIGSTOP of the master, whose replica lags, and n1 stands'),
    ...backup('c', 'OK'),
    fault('both wake up'),
  ];
  const story = [...first, ...second, ...backup('b', 'OK'), ...backup('b', 'FENCED'), ...backup('c', 'OK')];
  assert.deepEqual(judged(failover, story).seen, { rowsLost: 1, rowsOfTheOld: 1 });
  const nothing = [...first, ...second, ...backup('c', 'OK')];
  assert.deepEqual(judged(failover, nothing).seen, { rowsLost: 1, rowsOfTheOld: 0 });
});

test('F34: a record of the other topic is applied, or an offset of it committed', () => {
  const commit = (topic: string) => ({ k: 'commit', id: 1, commits: [[topic, 0, 5, 1, 1]] });
  const apply = { k: 'apply', u: '', p: 0, o: 0, count: 0, print: null, order: 0, owner: '' };
  const story = [apply, commit('old'), fault('the input is deleted and created again')];
  assert.deepEqual(judged(brokersRestarted, [...story, commit('old')]).violations, []);
  assert.equal(judged(brokersRestarted, [...story, apply]).violations.length, 1);
  assert.equal(judged(brokersRestarted, [...story, commit('new')]).violations.length, 1);
});

test('F39: letters for another reason, or for other records', () => {
  const append = (...reasons: string[]) => [
    { k: 'append', id: 1, topic: 'letters', records: reasons.map((reason, i) => [`letter-${i}`, null, reason]) },
    { k: 'appendDone', id: 1, first: 0 },
  ];
  assert.deepEqual(judged(largeRecords, append('too-large', 'too-large', 'broken')).violations, []);
  assert.equal(judged(largeRecords, append('broken', 'broken')).violations.length, 1);
});
