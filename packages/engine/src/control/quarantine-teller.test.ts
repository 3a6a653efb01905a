import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseTable, type PartitionEnd, type QuarantinedUnit } from '@holdfast/lease';
import { topicId } from '@holdfast/model';
import { ToldQuarantine } from '../shard/told-quarantine.ts';
import type { QuarantineNews } from '../shard-messages.ts';
import { QuarantineTeller } from './quarantine-teller.ts';

const released = 1_030;
const ends = (offset: number): PartitionEnd[] =>
  Array.from({ length: 100 }, (_, partition) => ({ topicId: topicId('in'), partition, offset }));

test('shards are told what has changed, and know what the table shows', () => {
  let table = new LeaseTable();
  const teller = new QuarantineTeller();
  const told = new ToldQuarantine();
  const tell = (): QuarantineNews => {
    const news = structuredClone(teller.news(table));
    told.add(news);
    return news;
  };
  const shown = (units: readonly QuarantinedUnit[]) =>
    units.map(({ hi, lo, before }) => `${hi}/${lo} ${before && Buffer.from(before.bytes).toString('hex')}`).sort();
  const areEqual = () => {
    assert.equal(told.index, table.quarantineIndex);
    // Not by deepEqual: what it says of a thousand long texts takes a minute.
    assert.ok(shown(told.units as QuarantinedUnit[]).join() === shown(table.quarantine.units).join());
  };
  const replay = (record: Parameters<LeaseTable['replay']>[0]) => {
    const index = table.tableIndex + 1;
    table.replay(record, index);
    table.publishIndex(index);
  };
  replay({ kind: 'unitQuarantined', hi: 9, lo: 9 });
  for (let hi = 0; hi < released; hi++) {
    replay({ kind: 'unitQuarantined', hi, lo: 1 });
    assert.deepEqual(tell().changed.length, hi === 0 ? 2 : 1);
    replay({ kind: 'quarantineLifted', hi, lo: 1, before: ends(hi) });
    const { changed, gone } = tell();
    assert.deepEqual([changed.length, gone.length], [1, hi < 1_024 ? 0 : 1], `release ${hi}`);
  }
  areEqual();
  // A new shard hears all; equal lists of one message are one object on its side too.
  replay({ kind: 'unitQuarantined', hi: 0, lo: 2 });
  replay({ kind: 'quarantineLifted', hi: 0, lo: 2, before: ends(released - 1) });
  const whole = structuredClone(new QuarantineTeller().news(table));
  assert.equal(whole.changed.length, 1_025);
  assert.equal(new Set(whole.changed.map(({ before }) => before)).size, 1_024);
  tell();
  table = LeaseTable.restore(table.encodeSnapshot());
  replay({ kind: 'unitQuarantined', hi: 5, lo: 5 });
  assert.equal(tell().changed.length, 1_026, 'after a snapshot all is told again');
  areEqual();
});
