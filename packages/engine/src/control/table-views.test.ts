import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseTable } from '@holdfast/lease';
import { partitionsOf } from './table-views.ts';

test('a shard is told which of its partitions were there when their topic was first read', () => {
  const table = new LeaseTable();
  const replay = (record: Parameters<LeaseTable['replay']>[0]): void => {
    const index = table.tableIndex + 1;
    table.replay(record, index);
    table.publishIndex(index);
  };
  const [session, topicId] = [2 as never, 'A' as never];
  replay({ kind: 'epochBase', base: 0 });
  replay({
    kind: 'sessionOpened',
    nodeId: 'n' as never,
    uuid: 'u',
    counter: 1,
    shards: 2,
    addresses: [],
    version: '1',
  });
  replay({ kind: 'topicSet', topic: 'in', topicId, partitions: 2 });
  replay({ kind: 'topicSet', topic: 'in', topicId, partitions: 4 });
  for (const partition of [0, 1, 2, 3]) {
    const shard = (partition % 2) as never;
    replay({ kind: 'partitionGranted', topicId, partition, session, shard, fromEpoch: 0 as never });
  }
  const told = partitionsOf(table, session, 2).map((list) =>
    list.map(({ partition, wasThere }) => [partition, wasThere]),
  );
  assert.deepEqual(told, [
    [
      [0, true],
      [2, false],
    ],
    [
      [1, true],
      [3, false],
    ],
  ]);
});
