import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LeaseRecord, LeaseTable } from '@holdfast/lease';
import { nodeId, topicId } from '@holdfast/model';
import { tableDigest } from './table-digest.ts';

const generations = ['x', 'y', 'z'];
const id = topicId('id-of-in');
const crash = { hi: 1, lo: 2, topicId: id, partition: 0, offset: 7, nodeId: nodeId('n1'), counter: 1 };
const frame = { topicId: id, partition: 0, first: 3, last: 9, nodeId: nodeId('n1'), counter: 1 };
const lifted = (offset: number): LeaseRecord => ({
  kind: 'quarantineLifted',
  hi: 1,
  lo: 2,
  before: [{ topicId: id, partition: 0, offset }],
});
const topicSet = (partitions: number): LeaseRecord => ({ kind: 'topicSet', topic: 'in', topicId: id, partitions });
const taken = (storeGeneration: string, number: number): LeaseRecord => ({
  kind: 'generationChanged',
  storeGeneration,
  number,
  continues: true,
});
const incarnation = { nodeId: nodeId('n1'), uuid: 'u', counter: 1, shards: 1, addresses: ['a', 'b'] };

function tableOf(records: readonly LeaseRecord[]): LeaseTable {
  const table = new LeaseTable();
  for (const [i, record] of [{ kind: 'epochBase', base: 0 } as const, ...records].entries()) {
    table.replay(record, i + 1);
    table.publishIndex(i + 1);
  }
  return table;
}

test('I14: tables that differ in anything have different digests; a snapshot changes nothing', () => {
  const quarantined: LeaseRecord = { kind: 'unitQuarantined', hi: 1, lo: 2 };
  const again: LeaseRecord = { kind: 'unitCrashed', ...crash };
  const histories: Record<string, readonly (readonly LeaseRecord[])[]> = {
    'crash notes': [
      [again],
      [{ kind: 'unitCrashed', ...crash, offset: 8 }],
      [{ kind: 'unitCrashed', ...crash, counter: 2 }],
      [{ kind: 'frameCrashed', ...frame }],
      [{ kind: 'frameCrashed', ...frame, last: 8 }],
    ],
    'units in quarantine': [
      [quarantined, again],
      [{ ...quarantined, hi: 3 }, again],
      [quarantined, lifted(5)],
      [quarantined, lifted(6)],
    ],
    'when the quarantine changed': [
      [quarantined, quarantined, lifted(5)],
      [quarantined, lifted(5), { kind: 'nodeForgotten', nodeId: nodeId('n9') }],
    ],
    'former generations': [
      [taken('x', 1), taken('y', 2), taken('z', 3)],
      [taken('y', 1), taken('other', 2), taken('z', 3)],
    ],
    'partitions that were there at first': [
      [topicSet(1), topicSet(3)],
      [topicSet(3), topicSet(3)],
    ],
    versions: ['1', '2'].map((version) => [{ kind: 'sessionOpened', ...incarnation, version }]),
  };
  for (const [what, each] of Object.entries(histories)) {
    const digests = each.map((records) => {
      const table = tableOf(records);
      const digest = tableDigest(table, generations);
      assert.equal(tableDigest(LeaseTable.restore(table.encodeSnapshot()), generations), digest, what);
      return digest;
    });
    assert.equal(new Set(digests).size, each.length, what);
  }
});
