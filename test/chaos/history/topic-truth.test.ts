import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryLog, MemoryLogDisk } from '@holdfast/testkit';
import type { HistoryEvent, OutputLine } from './event.ts';
import type { History } from './read-history.ts';
import { checkTopic, readTopic } from './topic-truth.ts';

/** A node that has appended the first record and was told so, and has died before it heard of the second. */
function historyOf(...[known, unclear]: readonly OutputLine[]): History {
  const events = [
    { t: 1, k: 'append', id: 1, topic: 'out', records: [known] },
    { t: 2, k: 'appendDone', id: 1, first: 0 },
    { t: 3, k: 'append', id: 2, topic: 'out', records: [unclear] },
    { t: 4, k: 'append', id: 3, topic: 'elsewhere', records: [['x', null]] },
    { t: 5, k: 'appendDone', id: 3, first: 0 },
  ];
  return { events: events.map((event) => ({ thread: 1, event: event as HistoryEvent })), threads: [] };
}

const time = { monotonicMs: () => 0, wallUnixMs: () => 0, setTimer: () => () => {} };
const a: OutputLine = ['a', 'QQ=='];
const b: OutputLine = ['b', null, 'poison'];
const history = historyOf(a, b);

test('what is acknowledged has to be in the topic, and what is there to have been appended', () => {
  assert.deepEqual(checkTopic(history, 'out', [a]), []);
  assert.deepEqual(checkTopic(history, 'out', [b, a, a]), []);
  assert.deepEqual(checkTopic(history, 'out', [b]), ["P6: a is acknowledged, and topic out doesn't have it"]);
  assert.deepEqual(checkTopic(history, 'out', [a, ['c', null]]), ['P6: topic out has c, which nobody has appended so']);
  const [lacks, hasOther] = checkTopic(history, 'out', [['a', 'Qg==']]);
  assert.match(lacks!, /a is acknowledged/);
  assert.match(hasOther!, /has a, which nobody/);
});

test('a topic is read to its end, with what nodes tell of it', async () => {
  const log = new MemoryLog(new MemoryLogDisk(), time);
  await log.createTopic('out', 2);
  const records = [
    { key: null, value: Buffer.from('A'), headers: { id: 'a' } },
    { key: null, value: Buffer.from('a long letter'), headers: { id: 'b', reason: 'poison' } },
  ];
  await log.append('out', 1, records);
  assert.deepEqual(await readTopic(log, 'out'), [a, b]);
  assert.deepEqual(await readTopic(log, 'none'), []);
});
