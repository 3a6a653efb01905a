import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../harness/scenario.ts';
import type { HistoryEvent } from '../history/event.ts';
import { failover } from './f30-failover.ts';
import { brokersRestarted } from './f34-brokers.ts';
import { largeRecords } from './f39-large-records.ts';

/** What a scenario says of these events, a millisecond apart. */
function judged({ judge }: Scenario, events: readonly Record<string, unknown>[]) {
  const recorded = events.map((event, i) => ({
    thread: 0,
    event: { t: i * 1_000, ...event } as unknown as HistoryEvent,
  }));
  return judge!({ events: recorded, threads: [''] });
}

const fault = (text: string) => ({ k: 'fault', text });

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
