import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardUnits } from './calls.ts';
import { batchUnitsCallMax, batchUnitsMax, batchWaitMsMax, UnitsBatch, unitCallsMax } from './units-batch.ts';
import { VirtualTime } from './virtual-network.test.ts';

interface Call {
  readonly batch: readonly ShardUnits[];
  readonly end: () => void;
}

function setUp(): { time: VirtualTime; batch: UnitsBatch; calls: Call[] } {
  const time = new VirtualTime();
  const calls: Call[] = [];
  const batch = new UnitsBatch(time, 2, (shards) => {
    return new Promise<void>((end) => calls.push({ batch: shards, end }));
  });
  return { time, batch, calls };
}

const units = (count: number, from = 0): Uint32Array => Uint32Array.from({ length: count * 2 }, (_, i) => 2 * from + i);

test('the first unit leaves at once, what follows is gathered while its call is under way', async () => {
  const { time, batch, calls } = setUp();
  batch.add(0, units(1));
  assert.equal(calls.length, 1);
  batch.add(0, units(1, 1));
  batch.add(1, units(1, 2));
  batch.add(0, units(1, 3));
  assert.equal(calls.length, 1);
  await time.run(batchWaitMsMax);
  assert.deepEqual(
    calls[1]!.batch.map(({ shard, units: list }) => [shard, [...list]]),
    [
      [0, [2, 3, 6, 7]],
      [1, [4, 5]],
    ],
  );
});

test('the end of the only call lets the next leave', async () => {
  const { time, batch, calls } = setUp();
  batch.add(0, units(1));
  batch.add(0, units(1, 1));
  calls[0]!.end();
  await time.run(0);
  assert.equal(calls.length, 2);
});

test('with all calls taken units wait for one, in calls of bounded size, and none is lost or doubled', async () => {
  const { time, batch, calls } = setUp();
  for (let i = 0; i < 40; i++) batch.add(0, units(1_000, i * 1_000));
  assert.equal(calls.length, unitCallsMax);
  for (let i = 0; i < calls.length; i++) {
    calls[i]!.end();
    await time.run(batchWaitMsMax);
  }
  const all = calls.flatMap((call) => call.batch.flatMap(({ units: list }) => [...list]));
  assert.deepEqual(all, [...units(40_000)]);
  assert.ok(calls.every((call) => call.batch[0]!.units.length <= 2 * batchUnitsCallMax));
  assert.ok(calls.length < 32, `${calls.length} calls`);
  assert.equal(batch.droppedCount, 0);
});

test('what is beyond the bound is dropped and counted', () => {
  const { batch, calls } = setUp();
  for (let i = 0; i < unitCallsMax; i++) batch.add(0, units(1_000));
  assert.equal(calls.length, unitCallsMax);
  batch.add(0, units(batchUnitsMax - 1));
  batch.add(0, units(3));
  assert.equal(batch.droppedCount, 2);
});

test('one message above the bound is taken as far as there is room', async () => {
  const { time, batch, calls } = setUp();
  batch.add(0, units(batchUnitsMax + 5));
  assert.equal(batch.droppedCount, 5);
  for (let i = 0; i < calls.length; i++) {
    calls[i]!.end();
    await time.run(batchWaitMsMax);
  }
  const all = calls.flatMap((call) => call.batch.flatMap(({ units: list }) => [...list]));
  assert.deepEqual(all, [...units(batchUnitsMax)]);
});
