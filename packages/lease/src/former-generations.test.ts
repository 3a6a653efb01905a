import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { formerGenerationsMax } from './limits.ts';
import { compileLeaseOptions } from './options.ts';

test('a generation of the store that was given up is never taken again, also after a snapshot', () => {
  const table = new LeaseTable();
  const change = (storeGeneration: string, number: number, index: number): void => {
    table.replay({ kind: 'generationChanged', storeGeneration, number }, index);
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
    const answer = coordinator.decide({ kind: 'reportGeneration', storeGeneration: 'x', knownNumber: 2 }, 0);
    assert.equal(!answer.ok && answer.refusal.code, 'FORMER_GENERATION');
    assert.ok(coordinator.decide({ kind: 'reportGeneration', storeGeneration: 'z', knownNumber: 2 }, 0).ok);
  }
  for (let i = 0; i < 2 * formerGenerationsMax; i++) change(`next-${i}`, 3 + i, 5 + i);
  assert.equal(table.isFormerGeneration('x'), false, 'bounded');
  assert.equal(table.isFormerGeneration(`next-${formerGenerationsMax}`), true);
});
