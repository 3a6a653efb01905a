import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { LogError, type LogReader } from '@holdfast/engine';
import { partitionOf, recordsOf } from '@holdfast/testkit';
import { BatchBuilder } from './batch-builder.ts';
import { asBuffer } from './binary-keys.ts';
import { LmdbLog } from './lmdb-log.ts';
import { blockKey } from './log-tables.ts';
import { systemClock, temporaryFolder } from './test-support.test.ts';

const { dir, remove } = temporaryFolder();
const bytesMax = 1 << 20;
const log = await LmdbLog.open(join(dir, 'log'), systemClock);
after(async () => {
  await log.close();
  remove();
});

/** A topic whose first block has the records a, b and c, each further one another. */
async function topicOf(topic: string): Promise<{ number: number; open: () => Promise<LogReader> }> {
  const info = await log.createTopic(topic, 1);
  for (const values of [['a', 'b', 'c'], ['d'], ['e']]) {
    await log.append(
      topic,
      0,
      values.map((value) => ({ key: null, value: Buffer.from(value) })),
    );
  }
  return { number: log.topic(topic)!.number, open: () => log.openReader(topic, partitionOf(info, 0), 0) };
}

async function valuesOf(reader: LogReader, bytes = bytesMax): Promise<(string | null)[] | null> {
  const batch = await reader.next(bytes, 0);
  return batch === null ? null : recordsOf(batch).map(({ value }) => value);
}

test('a block that can not be read keeps nothing of those before it back, nor of itself when it is mended', async () => {
  const { number, open } = await topicOf('damaged');
  const { blocks } = log.tables;
  const key = blockKey(number, 0, 3);
  const good = Buffer.from(asBuffer(blocks.getBinary(key)!));
  const bad = Buffer.from(good);
  bad[bad.length - 1]! ^= 1;
  await log.env.write(() => [blocks.put(key, bad)]);
  const reader = await open();
  assert.deepEqual(await valuesOf(reader), ['a', 'b', 'c']);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(valuesOf(reader), (error) => error instanceof LogError && error.code === 'RECORDS_CORRUPT');
  }
  await log.env.write(() => [blocks.remove(key)]);
  await assert.rejects(valuesOf(reader), { code: 'RECORDS_CORRUPT', message: /no block of damaged\/0 holds offset 3/ });
  await log.env.write(() => [blocks.put(key, good)]);
  assert.deepEqual(await valuesOf(reader), ['d', 'e']);
});

test('a look that fails is repeated, whole', async () => {
  const { open } = await topicOf('failing');
  // The failed look ends inside a block, or at the end of several.
  for (const bytes of [1, bytesMax]) {
    const reader = await open();
    assert.deepEqual(await valuesOf(reader, 1), ['a']);
    const failing = mock.method(
      BatchBuilder.prototype,
      'finish',
      () => {
        throw new RangeError('Array buffer allocation failed');
      },
      { times: 1 },
    );
    await assert.rejects(valuesOf(reader, bytes), /allocation failed/);
    failing.mock.restore();
    assert.deepEqual(await valuesOf(reader), ['b', 'c', 'd', 'e']);
    assert.equal(await valuesOf(reader), null);
  }
});

test('the first offset since a time is found behind however many blocks, between other work of the thread', async () => {
  let nowMs = 1_000;
  const clock = { ...systemClock, wallUnixMs: () => nowMs };
  const timed = await LmdbLog.open(join(dir, 'timed'), clock);
  try {
    await timed.createTopic('many', 1);
    for (let n = 0; n < 200; n++, nowMs++) await timed.append('many', 0, [{ key: null, value: Buffer.from(`${n}`) }]);
    for (const n of [0, 1, 63, 64, 65, 128, 199]) {
      assert.deepEqual(await timed.offsetsAt('many', { timestampUnixMs: 1_000 + n }), [n]);
    }
    assert.deepEqual(await timed.offsetsAt('many', { timestampUnixMs: 1_200 }), [200]);
    const late = timed.offsetsAt('many', { timestampUnixMs: 1_200 });
    await Promise.all([assert.rejects(late, { code: 'LOG_CLOSED' }), timed.close()]);
  } finally {
    await timed.close();
  }
});
