import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutValueBytes, defaultShardSettings, LogError } from '@holdfast/engine';
import { beginLoneShard } from './lone-shard.test.ts';

const { deadLetterTopic } = defaultShardSettings;

type Scene = Awaited<ReturnType<typeof beginLoneShard>>;

function recordsOf({ logDisk }: Scene, topic: string) {
  return (logDisk.topics.get(topic)?.partitions ?? []).flat().map(({ key, value, headers = {} }) => ({
    key: key === null ? null : Buffer.from(key).toString(),
    value: value === null ? null : Buffer.from(value).toString(),
    headers,
  }));
}

test('an output that its topic takes in no form becomes a dead letter, and the shard goes on', async () => {
  const scene = await beginLoneShard({ users: ['u'] });
  // Key, value `0/N` and header `id: 0/N`: nine bytes up to the tenth record, then eleven.
  scene.logDisk.createTopic('out', 1, 10);
  for (let i = 0; i < 12; i++) await scene.feed('u!');
  await scene.time.pass(60_000);
  assert.deepEqual(
    recordsOf(scene, 'out').map(({ value }) => value),
    Array.from({ length: 10 }, (_, i) => `0/${i}`),
  );
  const letter = (offset: number) => ({
    key: 'u',
    value: `0/${offset}`,
    headers: {
      id: `0/${offset}/too-large`,
      reason: 'output-too-large',
      job: 'counting',
      version: '1',
      'key-is': 'record',
      'output-topic': 'out',
      'output-bytes': '4',
      'header.id': `0/${offset}`,
    },
  });
  assert.deepEqual(recordsOf(scene, deadLetterTopic), [letter(10), letter(11)]);
  assert.deepEqual(await scene.committed(), { offset: 12, generationId: 'memory-store-1' });
  assert.deepEqual([scene.stats.get('outputsTooLarge'), scene.stats.get('outputsAcked')], [2, 12]);
  await scene.end();
});

test('no row has an output behind it that is in no topic: neither its own nor, yet, the letters', async () => {
  const logHooks: { before?: (operation: string) => void } = {};
  const scene = await beginLoneShard({ users: ['u', 'v'], logHooks });
  scene.logDisk.createTopic('out', 1, 10);
  await scene.feed('v!');
  await scene.time.pass(1_000);
  logHooks.before = (operation) => {
    if (operation === 'createTopic') throw new LogError('LOG_IO', 'away');
  };
  for (let i = 1; i < 10; i++) await scene.feed('-');
  await scene.feed('u!');
  await scene.time.pass(60_000);
  assert.equal(scene.rowCount(), 1);
  assert.ok((await scene.committed())!.offset <= 10);
  logHooks.before = () => undefined;
  await scene.time.pass(60_000);
  assert.equal(recordsOf(scene, deadLetterTopic).length, 1);
  assert.deepEqual([scene.rowCount(), await scene.committed()], [2, { offset: 11, generationId: 'memory-store-1' }]);
  await scene.end();
});

test('a dead letter that is too large for its topic goes with its value cut, or bare', async () => {
  for (const [letterBytesMax, valueBytes] of [
    [Number.POSITIVE_INFINITY, 200_000],
    [80_000, cutValueBytes],
    [1_000, 0],
  ] as const) {
    const scene = await beginLoneShard({});
    scene.logDisk.createTopic(deadLetterTopic, 1, letterBytesMax);
    await scene.feed(`?${'x'.repeat(199_999)}`);
    await scene.feed('?');
    await scene.time.pass(5_000);
    const [large, small] = recordsOf(scene, deadLetterTopic);
    assert.equal(large!.value, `?${'x'.repeat(199_999)}`.slice(0, valueBytes));
    assert.equal(large!.headers.truncated, valueBytes === 200_000 ? undefined : '200000');
    assert.equal(large!.headers['key-is'], valueBytes === 0 ? 'cut' : 'record');
    assert.deepEqual([large!.headers.offset, large!.headers.reason], ['0', 'marked']);
    assert.deepEqual([small!.value, small!.headers.truncated, small!.headers.offset], ['?', undefined, '1']);
    assert.deepEqual(await scene.committed(), { offset: 2, generationId: 'memory-store-1' });
    await scene.end();
  }
});

test('what is durable of an append that failed is not appended again', async () => {
  let failures = 1;
  const after = (operation: string) => {
    if (operation === 'append' && failures-- > 0) throw new LogError('LOG_IO', 'cut off', { appended: 1 });
  };
  const logHooks: { after?: typeof after } = {};
  const scene = await beginLoneShard({ users: ['u'], logHooks });
  await scene.feed('u!');
  logHooks.after = after;
  await scene.time.pass(5_000);
  assert.equal(failures, 0);
  assert.equal(recordsOf(scene, 'out').length, 1);
  await scene.end();
});
