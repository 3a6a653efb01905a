import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, type SessionId, type ShardIndex } from '@holdfast/model';
import { HolderHistory } from './holder-history.ts';
import { LeaseTable } from './lease-table.ts';
import type { LeaseRecord } from './records.ts';

const unit = Uint32Array.of(7, 9);
const s = (id: number) => id as SessionId;
const shard = 0 as ShardIndex;

/** A table with two nodes' sessions, 2 and 3; `apply` gives each record an entry of its own. */
function tableWithHistory() {
  const history = new HolderHistory();
  const table = new LeaseTable(history);
  let index = 0;
  const apply = (record: LeaseRecord, atUnixMs: number | null = null): number => {
    history.nowUnixMs = atUnixMs;
    table.replay(record, ++index);
    table.publishIndex(index);
    return index;
  };
  apply({ kind: 'epochBase', base: 100 });
  for (const name of ['n1', 'n2']) {
    const incarnation = { uuid: name, counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
    apply({ kind: 'sessionOpened', nodeId: nodeId(name), ...incarnation });
  }
  return { history, table, apply };
}

test('grants, moves, releases and ends of sessions are remembered, with who, where and when', () => {
  const { history, apply } = tableWithHistory();
  apply({ kind: 'granted', session: s(2), shard, units: unit }, 1_000);
  apply({ kind: 'moved', units: unit, fromEpochs: Float64Array.of(104), toSession: s(3), toShard: shard }, 2_000);
  apply({ kind: 'sessionEnded', session: s(3), reason: 'expired' }, 3_000);
  apply({ kind: 'granted', session: s(2), shard, units: unit }, 4_000);
  apply({ kind: 'released', units: unit, epochs: Float64Array.of(107) }, 5_000);
  assert.deepEqual(
    history.of(7, 9, 10).map(({ kind, nodeId: node, index, atUnixMs }) => [kind, node, index, atUnixMs]),
    [
      ['granted', 'n1', 4, 1_000],
      ['moved', 'n2', 5, 2_000],
      ['expired', 'n2', 6, 3_000],
      ['granted', 'n1', 7, 4_000],
      ['released', 'n1', 8, 5_000],
    ],
  );
  assert.deepEqual(
    history.of(7, 9, 2).map(({ index }) => index),
    [7, 8],
    'the newest',
  );
  assert.deepEqual(history.of(7, 8, 10), []);
});

test('what is void is no change', () => {
  const { history, apply } = tableWithHistory();
  apply({ kind: 'granted', session: s(2), shard, units: unit });
  apply({ kind: 'granted', session: s(3), shard, units: unit });
  apply({ kind: 'released', units: unit, epochs: Float64Array.of(9) });
  assert.deepEqual(
    history.of(7, 9, 10).map(({ kind, atUnixMs }) => [kind, atUnixMs]),
    [['granted', null]],
  );
});

test('it is bounded: the oldest changes of all units go first', () => {
  const history = new HolderHistory(4);
  history.sessionOpened(2, 'n1');
  for (let i = 0; i < 6; i++) history.note('granted', 1, i, 2, 0, 10 + i);
  assert.equal(history.of(1, 1, 9).length, 0);
  assert.equal(history.of(1, 2, 9).length, 1);
  assert.equal(history.count, 6);
});

test('a lease of a session that began before all that is known has no name', () => {
  const history = new HolderHistory(4);
  history.note('granted', 1, 1, 2, 3, 10);
  assert.deepEqual(history.of(1, 1, 9), [
    { kind: 'granted', session: 2, shard: 3, nodeId: null, index: 10, atUnixMs: null },
  ]);
});
