import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromShard } from '../shard-messages.ts';
import { ClaimSettler } from './claim-settler.ts';
import type { ShardContext } from './shard-context.ts';
import { TableBarrier } from './table-barrier.ts';

function scene() {
  const asked: number[] = [];
  const steps: string[] = [];
  const barrier = new TableBarrier((message: FromShard) => void asked.push((message as { id: number }).id));
  const claimFloors = { unsettled: 3 as number | null, settle: (upTo: number) => void steps.push(`settle ${upTo}`) };
  const holder = { claimFloors, onTableAdvanced: () => void steps.push('table') };
  const table = { index: 10 };
  const leases = { tableIndex: () => table.index };
  const settler = new ClaimSettler({ barrier, holder, leases } as unknown as ShardContext);
  return { settler, asked, steps, barrier, claimFloors, table };
}

test('markers of claims count for their buckets when the table shows what was committed as they were answered', () => {
  const { settler, asked, steps, barrier, claimFloors, table } = scene();
  settler.kick(0);
  claimFloors.unsettled = 5;
  settler.kick(1);
  assert.deepEqual(asked, [1], 'one question at a time');
  barrier.answered(1, 12);
  settler.kick(2);
  assert.deepEqual(steps, [], 'the table is behind');
  table.index = 12;
  settler.kick(3);
  assert.deepEqual(steps, ['table', 'settle 3']);
  settler.kick(4);
  assert.deepEqual(asked, [1], 'not at once again');
  settler.kick(1_000);
  assert.deepEqual(asked, [1, 2]);
});

test('nobody is asked without a claim, and a question that nobody could answer is asked again', () => {
  const { settler, asked, steps, barrier, claimFloors } = scene();
  claimFloors.unsettled = null;
  settler.kick(0);
  assert.deepEqual(asked, []);
  claimFloors.unsettled = 1;
  settler.kick(1);
  barrier.answered(1, null);
  settler.kick(2);
  settler.kick(1_001);
  barrier.answered(2, 10);
  settler.kick(1_002);
  assert.deepEqual(
    [asked, steps],
    [
      [1, 2],
      ['table', 'settle 1'],
    ],
  );
});
