import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { LagMeter } from './lag-meter.ts';

const at = (topic: string, partition: number, position: number, lastTimestampUnixMs = Number.NaN) => {
  return { topic, partition, position, lastTimestampUnixMs };
};

test('records between positions and ends, and the oldest that was read of what is behind', async () => {
  const asked: string[] = [];
  const endOffsets = async (topic: string) => {
    asked.push(topic);
    return topic === 'a' ? [10, 5] : [7];
  };
  const meter = new LagMeter({ endOffsets }, silentLogger);
  const lag = await meter.measure([at('a', 0, 4, 300), at('a', 1, 5, 100), at('b', 0, 6, 200)], 1_000);
  assert.deepEqual(lag, { records: 7, oldestUnixMs: 200 });
  assert.deepEqual(asked, ['a', 'b'], 'each topic once');
});

test('what comes after a time without lag has waited since then at most, however long nothing came before', async () => {
  let end = 5;
  const meter = new LagMeter({ endOffsets: async () => [end] }, silentLogger);
  assert.equal((await meter.measure([at('a', 0, 3, 100)], 9_000))!.oldestUnixMs, 100, 'an old backlog is old');
  assert.equal((await meter.measure([at('a', 0, 5, 200)], 10_000))!.oldestUnixMs, Number.POSITIVE_INFINITY);
  end = 6;
  assert.equal((await meter.measure([at('a', 0, 5, 200)], 50_000))!.oldestUnixMs, 10_000);
  assert.equal((await meter.measure([at('a', 0, 5, 20_000)], 51_000))!.oldestUnixMs, 20_000);
});

test('a partition of which nothing was routed waits since it was first asked about, until something is', async () => {
  const meter = new LagMeter({ endOffsets: async () => [9] }, silentLogger);
  assert.equal((await meter.measure([at('a', 0, 3)], 4_000))!.oldestUnixMs, 4_000);
  assert.equal((await meter.measure([at('a', 0, 3)], 8_000))!.oldestUnixMs, 4_000);
  assert.equal((await meter.measure([at('a', 0, 4, 100)], 9_000))!.oldestUnixMs, 100);
  await meter.measure([], 10_000);
  assert.equal(
    (await meter.measure([at('a', 0, 4)], 11_000))!.oldestUnixMs,
    11_000,
    'forgotten when it went elsewhere',
  );
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
  const meter = new LagMeter({ endOffsets }, silentLogger);
  const first = meter.measure([at('a', 0, 0)], 1_000);
  assert.equal(await meter.measure([at('a', 0, 0)], 1_000), null);
  assert.equal(asked, 1);
  fail(new Error('away'));
  assert.equal(await first, null);
  const again = meter.measure([at('a', 0, 0)], 1_000);
  assert.equal(asked, 2);
  fail(new Error('away'));
  assert.equal(await again, null);
});
