import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { formerGenerationsMax } from './limits.ts';
import { compileLeaseOptions } from './options.ts';
import type { LeaseRecord } from './records.ts';

test('a generation of the store that was given up is never taken again, also after a snapshot', () => {
  const table = new LeaseTable();
  const change = (storeGeneration: string, number: number, index: number): void => {
    table.replay({ kind: 'generationChanged', storeGeneration, number, continues: true }, index);
    table.publishIndex(index);
  };
  table.replay({ kind: 'epochBase', base: 0 }, 1);
  change('x', 1, 2);
  change('y', 2, 3);
  change('x', 3, 4);
  assert.deepEqual([table.generation, table.storeGeneration], [2, 'y'], 'void, whoever proposed it');
  const restored = LeaseTable.restore(table.encodeSnapshot());
  for (const each of [table, restored]) {
    const coordinator = new LeaseCoordinator(each, compileLeaseOptions(), 0);
    const report = (storeGeneration: string) =>
      coordinator.decide({ kind: 'reportGeneration', storeGeneration, knownNumber: 2, continues: true }, 0);
    const answer = report('x');
    assert.equal(!answer.ok && answer.refusal.code, 'FORMER_GENERATION');
    assert.ok(report('z').ok);
  }
  for (let i = 0; i < 2 * formerGenerationsMax; i++) change(`next-${i}`, 3 + i, 5 + i);
  assert.equal(table.isFormerGeneration('x'), false, 'bounded');
  assert.equal(table.isFormerGeneration(`next-${formerGenerationsMax}`), true);
});

test('a store that does not continue the one before ends all sessions', () => {
  const table = new LeaseTable();
  let index = 0;
  const replay = (record: LeaseRecord) => {
    const outcome = table.replay(record, ++index);
    table.publishIndex(index);
    return outcome;
  };
  const incarnation = { uuid: 'u', counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
  replay({ kind: 'epochBase', base: 0 });
  replay({ kind: 'generationChanged', storeGeneration: 'x', number: 1, continues: true });
  replay({ kind: 'sessionOpened', nodeId: 'n1' as never, ...incarnation });
  replay({ kind: 'granted', session: 3 as never, shard: 0 as never, units: Uint32Array.of(1, 2) });
  const kept = replay({ kind: 'generationChanged', storeGeneration: 'y', number: 2, continues: true });
  assert.deepEqual([kept.ended, table.unitCount, table.uncleanCount], [[], 1, 0]);
  const ended = replay({ kind: 'generationChanged', storeGeneration: 'z', number: 3, continues: false });
  assert.deepEqual([ended.generation, ended.unclean, table.unitCount, table.uncleanCount], [3, true, 0, 1]);
  assert.deepEqual(
    ended.ended.map(({ session, reason }) => [session, reason]),
    [[3, 'storeReplaced']],
  );
});
