import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseTable } from './lease-table.ts';
import type { LeaseRecord } from './records.ts';

function founded(base = 0) {
  const table = new LeaseTable();
  const replay = (record: LeaseRecord): void => {
    const index = table.tableIndex + 1;
    table.replay(record, index);
    table.publishIndex(index);
  };
  replay({ kind: 'epochBase', base });
  return {
    table,
    set: (topicId: string, partitions: number) =>
      replay({ kind: 'topicSet', topic: 'in', topicId: topicId as never, partitions }),
    /** Of the table, and of what its snapshot gives. */
    startPartitions: () => {
      const both = [table, LeaseTable.restore(table.encodeSnapshot())];
      const [own, restored] = both.map((each) => each.topicNamed('in')?.startPartitions);
      assert.equal(own, restored);
      return own;
    },
  };
}

test('partitions of a topic that is first read were there; those it gets later, and those of its successor, were not', () => {
  const { set, startPartitions } = founded();
  set('A', 3);
  assert.equal(startPartitions(), 3);
  set('A', 6);
  assert.equal(startPartitions(), 3);
  set('B', 4);
  assert.equal(startPartitions(), 0);
  set('B', 5);
  set('A', 3);
  assert.equal(startPartitions(), 0, 'nor those of the former topic');
});

test('a cluster founded on a store that has been used does not know what was there', () => {
  const { set, startPartitions } = founded(17);
  set('A', 3);
  assert.equal(startPartitions(), 0);
});

test('a snapshot of format 4 is read; it does not say what was there', () => {
  const written = `0432050100000001020178000103
    00026e31017501010201610162013101
    026e31017501060102696e0141020005
    030000000000`;
  const table = LeaseTable.restore(Buffer.from(written.replaceAll(/\s/g, ''), 'hex'));
  const topic = table.topicNamed('in');
  assert.deepEqual(topic, { topic: 'in', topicId: 'A', partitions: 2, startPartitions: 0 });
  assert.deepEqual(table.partitionLeases(topic!.topicId), [null, { session: 3, shard: 0, epoch: 5 }]);
  assert.equal(table.encodeSnapshot()[0], 6);
});
