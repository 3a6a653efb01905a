import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { Job } from '../job.ts';
import { Ingest } from './ingest.ts';
import { tableOfOne } from './test-table.test.ts';

const id = { topicId: topicId('T'), partition: 0 };

/** An ingest beside a table that the control thread writes meanwhile. */
function scene(given: { uncleanCount: number; uncleanIndex: number } = { uncleanCount: 0, uncleanIndex: 0 }) {
  const marks = { tableIndex: 10, generationIndex: 4, ...given };
  const leases = {
    ...tableOfOne(1),
    tableIndex: () => marks.tableIndex,
    generationIndex: () => marks.generationIndex,
    uncleanCount: () => marks.uncleanCount,
    uncleanIndex: () => marks.uncleanIndex,
  };
  const self = { session: 1 as never, shard: 0 as never };
  const ingest = new Ingest({ self, job: { name: 'j', version: '1' } as Job, leases, deadLetterTopic: 'dead' });
  return { marks, ingest };
}

test('a start that was found under an earlier generation begins nothing, whoever notices the next one first', () => {
  const { marks, ingest } = scene();
  assert.notEqual(ingest.startPartition('t', id, 1, 5, 4), null);
  marks.generationIndex = 11;
  ingest.catchUp();
  assert.equal(ingest.startPartition('t', id, 1, 5, 4), null);
  assert.equal(ingest.startPartition('t', id, 1, 3, 11)!.position, 3);
});

test('an unclean end sends readings back until its entry is over: what is read before may go where it is lost', () => {
  const { marks, ingest } = scene();
  const reading = ingest.startPartition('t', id, 1, 5, 4)!;
  const wentBack = (): boolean => {
    const before = reading.reading;
    ingest.catchUp();
    return reading.reading !== before;
  };
  assert.equal(wentBack(), false);
  marks.uncleanCount = 1;
  marks.uncleanIndex = 11;
  assert.deepEqual([wentBack(), wentBack()], [true, true]);
  marks.tableIndex = 11;
  assert.deepEqual([wentBack(), wentBack()], [true, false]);
});

test('an ingest that begins in the midst of an unclean end goes back for it as well', () => {
  const { marks, ingest } = scene({ uncleanCount: 1, uncleanIndex: 11 });
  const reading = ingest.startPartition('t', id, 1, 5, 4)!;
  marks.tableIndex = 11;
  const before = reading.reading;
  ingest.catchUp();
  assert.notEqual(reading.reading, before);
});
