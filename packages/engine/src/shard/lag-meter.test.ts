import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { LagMeter, type ReadPosition } from './lag-meter.ts';

/** Both of its clocks begin at 0. */
function scene(endOffsets: (topic: string, partitions: readonly number[]) => Promise<number[]>) {
  const offsetsAt = async (topic: string, _: unknown, partitions: readonly number[] = []) => {
    const ends = await endOffsets(topic, partitions);
    return partitions.map((partition) => ends[partition]!);
  };
  const time = { nowMs: 0, monotonicMs: () => time.nowMs, wallUnixMs: () => time.nowMs };
  const meter = new LagMeter({ offsetsAt }, silentLogger, time);
  const measure = async (...positions: [string, ReadPosition][]) => {
    await meter.look(new Map(positions));
    return meter.lag(new Map(positions));
  };
  return { meter, measure, time };
}

function at(
  topic: string,
  partition: number,
  position: number | null,
  lastTimestampUnixMs = Number.NaN,
): [string, ReadPosition] {
  const reading = position === null ? null : { position };
  return [`${topic}/${partition}`, { lease: { topic, partition }, reading, lastTimestampUnixMs }];
}

test('records between positions and ends, and the oldest that was read of what is behind', async () => {
  const asked: string[] = [];
  const { measure } = scene(async (topic) => {
    asked.push(topic);
    return topic === 'a' ? [10, 5] : [7];
  });
  const lag = await measure(at('a', 0, 4, -300), at('a', 1, 5, -500), at('b', 0, 6, -400));
  assert.deepEqual(lag, { partitions: 3, records: 7, waitMs: 400, ageMs: 0 });
  assert.deepEqual(asked, ['a', 'b'], 'each topic once');
});

test('the lag is of the time when it was measured, unless reading has gone back since', async () => {
  const { meter, time } = scene(async () => [9]);
  assert.equal(meter.lag(new Map([at('a', 0, 4)])).partitions, 0, 'not measured yet');
  await meter.look(new Map([at('a', 0, 4)]));
  time.nowMs = 700;
  const later = meter.lag(new Map([at('a', 0, 9)]));
  assert.deepEqual([later.records, later.ageMs], [5, 700], 'nobody knows what has come since');
  assert.equal(meter.lag(new Map([at('a', 0, 2)])).records, 7, 'it went back');
});

test('what comes after a time without lag has waited since then at most, however long nothing came before', async () => {
  let end = 5;
  const { measure, time } = scene(async () => [end]);
  assert.equal((await measure(at('a', 0, 3, -7_000))).waitMs, 7_000, 'an old backlog is old');
  assert.equal((await measure(at('a', 0, 5, -7_000))).waitMs, 0);
  end = 6;
  time.nowMs = 40_000;
  assert.equal((await measure(at('a', 0, 5, -7_000))).waitMs, 40_000);
  assert.equal((await measure(at('a', 0, 5, 10_000))).waitMs, 30_000);
});

test('a partition of which nothing was routed waits since it was first asked about, until something is', async () => {
  const { measure, time } = scene(async () => [9]);
  assert.equal((await measure(at('a', 0, 3))).waitMs, 0);
  time.nowMs = 4_000;
  assert.equal((await measure(at('a', 0, 3))).waitMs, 4_000);
  assert.equal((await measure(at('a', 0, 4, -100))).waitMs, 4_100);
  await measure();
  assert.equal((await measure(at('a', 0, 4))).waitMs, 0, 'forgotten when it went elsewhere');
});

test('a log that is away is asked once at a time, and the lag is unknown, not none', async () => {
  const fails: ((error: Error) => void)[] = [];
  const { meter } = scene(() => new Promise((_, reject) => fails.push(reject)));
  const positions = new Map([at('a', 0, 0)]);
  const first = meter.look(positions);
  await meter.look(positions);
  assert.equal(fails.length, 1);
  fails[0]!(new Error('away'));
  await first;
  assert.deepEqual(meter.lag(positions), { partitions: 0, records: 0, waitMs: 0, ageMs: 0 });
  const again = meter.look(positions);
  assert.equal(fails.length, 2);
  fails[1]!(new Error('away'));
  await again;
});

test('a partition whose end is not to be had has it as it was last known, and the others are measured', async () => {
  let isAway = false;
  const asked: string[] = [];
  const { measure, time } = scene(async (_topic, partitions) => {
    asked.push(partitions.join());
    if (isAway && partitions.includes(1)) throw new Error('no leader');
    return [10, 10];
  });
  const both = { partitions: 2, waitMs: 2_000, ageMs: 0 };
  assert.deepEqual(await measure(at('a', 0, 8, -1_000), at('a', 1, 7, -2_000)), { ...both, records: 5 });
  isAway = true;
  time.nowMs = 1_000;
  const lag = await measure(at('a', 0, 10, 0), at('a', 1, 7, -2_000));
  assert.deepEqual(lag, { partitions: 2, records: 3, waitMs: 3_000, ageMs: 1_000 });
  assert.deepEqual(asked, ['0,1', '0,1', '0', '1']);
  assert.equal((await measure(at('b', 1, 7))).partitions, 0, 'nothing is known of what is read');
});

test('a partition whose start is sought is not known: neither without lag nor with all that it has', async () => {
  const { measure } = scene(async () => [9, 9]);
  assert.deepEqual(await measure(at('a', 0, null), at('a', 1, 8, -100)), {
    partitions: 1,
    records: 1,
    waitMs: 100,
    ageMs: 0,
  });
});
