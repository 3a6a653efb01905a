import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { LagMeter } from './lag-meter.ts';

/** Both of its clocks begin at 0. */
function scene(endOffsets: (topic: string) => Promise<number[]>) {
  const time = { nowMs: 0, monotonicMs: () => time.nowMs, wallUnixMs: () => time.nowMs };
  return { meter: new LagMeter({ endOffsets }, silentLogger, time), time };
}

const at = (topic: string, partition: number, position: number, lastTimestampUnixMs = Number.NaN) => {
  return { topic, partition, position, lastTimestampUnixMs };
};

test('records between positions and ends, and the oldest that was read of what is behind', async () => {
  const asked: string[] = [];
  const endOffsets = async (topic: string) => {
    asked.push(topic);
    return topic === 'a' ? [10, 5] : [7];
  };
  const { meter } = scene(endOffsets);
  const lag = await meter.measure([at('a', 0, 4, -300), at('a', 1, 5, -500), at('b', 0, 6, -400)]);
  assert.deepEqual(lag, { records: 7, waitMs: 400 });
  assert.deepEqual(asked, ['a', 'b'], 'each topic once');
});

test('what comes after a time without lag has waited since then at most, however long nothing came before', async () => {
  let end = 5;
  const { meter, time } = scene(async () => [end]);
  assert.equal((await meter.measure([at('a', 0, 3, -7_000)]))!.waitMs, 7_000, 'an old backlog is old');
  assert.equal((await meter.measure([at('a', 0, 5, -7_000)]))!.waitMs, 0);
  end = 6;
  time.nowMs = 40_000;
  assert.equal((await meter.measure([at('a', 0, 5, -7_000)]))!.waitMs, 40_000);
  assert.equal((await meter.measure([at('a', 0, 5, 10_000)]))!.waitMs, 30_000);
});

test('a partition of which nothing was routed waits since it was first asked about, until something is', async () => {
  const { meter, time } = scene(async () => [9]);
  assert.equal((await meter.measure([at('a', 0, 3)]))!.waitMs, 0);
  time.nowMs = 4_000;
  assert.equal((await meter.measure([at('a', 0, 3)]))!.waitMs, 4_000);
  assert.equal((await meter.measure([at('a', 0, 4, -100)]))!.waitMs, 4_100);
  await meter.measure([]);
  assert.equal((await meter.measure([at('a', 0, 4)]))!.waitMs, 0, 'forgotten when it went elsewhere');
});

test('a log that is away is asked once at a time, and the lag is unknown, not none', async () => {
  let fail: (error: Error) => void = () => undefined;
  let asked = 0;
  const endOffsets = () => {
    asked++;
    return new Promise<number[]>((_, reject) => {
      fail = reject;
    });
  };
  const { meter } = scene(endOffsets);
  const first = meter.measure([at('a', 0, 0)]);
  assert.equal(await meter.measure([at('a', 0, 0)]), null);
  assert.equal(asked, 1);
  fail(new Error('away'));
  assert.equal(await first, null);
  const again = meter.measure([at('a', 0, 0)]);
  assert.equal(asked, 2);
  fail(new Error('away'));
  assert.equal(await again, null);
});
