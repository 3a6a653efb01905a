import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import type { RowWrite } from '@holdfast/engine';
import { bucketCount, bucketOf, formatUnit, silentLogger, topicId } from '@holdfast/model';
import { fieldOfPartition, keysOfBuckets } from '../../packages/backup-redis/src/bucket-keys.ts';
import { BucketLives, type Keeps } from '../../packages/backup-redis/src/bucket-lives.ts';
import { Deadline } from '../../packages/backup-redis/src/deadline.ts';
import { openServers } from '../../packages/backup-redis/src/open-servers.ts';
import { compileRedisOptions } from '../../packages/backup-redis/src/options.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { type RedisServer, serviceFolder, startRedis } from './redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const { dir, remove } = serviceFolder('redis-edges');
const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  remove();
});

const partition = { topicId: topicId('t'), partition: 0 };
const unit = { hi: 1, lo: 7 };
const bucket = bucketOf(unit.hi, unit.lo);
const rowsKey = `holdfast:{b${bucket}}:rows`;
const markersKey = `holdfast:{b${bucket}}:markers`;
const field = formatUnit(unit.hi, unit.lo).replace(/../g, '\\x$&');

async function begin(): Promise<{ redis: RedisServer; url: string }> {
  const redis = await startRedis(dir, { appendonly: 'yes', appendfsync: 'always' });
  cleanups.push(() => redis.stop());
  return { redis, url: `redis://127.0.0.1:${redis.port}` };
}

async function open(url: string, options: Partial<RedisStoreOptions> = {}): Promise<RedisBackupStore> {
  const store = await RedisBackupStore.open({ url, ...options });
  cleanups.push(() => store.close());
  return store;
}

const row = (at: { hi: number; lo: number }, bytes: number): RowWrite => {
  return { ...at, epoch: 5, seq: 1, row: new Uint8Array(bytes), savedUnixMs: 1_000 };
};

/** The lives as another node reads them, which sees the server set up in a way of its own. */
async function livesSeenWith(url: string, looks: () => Keeps): Promise<BucketLives> {
  const options = compileRedisOptions({ url });
  const servers = await openServers(options, silentLogger);
  cleanups.push(() => {
    servers.calls.close();
    servers.client.disconnect();
  });
  const keys = keysOfBuckets(options.keyPrefix);
  const groups = Array.from({ length: bucketCount }, (_, each) => [each]);
  const keysOf = (buckets: readonly number[]) => buckets.flatMap((each) => [keys[each]!.rows, keys[each]!.markers]);
  return new BucketLives(servers.calls, groups, keysOf, 64, async () => looks());
}

test('a marker that can not be read is an error, and neither none nor a high one', async () => {
  const { redis, url } = await begin();
  const store = await open(url);
  const life = await store.generationId();
  assert.equal((await store.mark(life, [{ bucket, partition, offset: 50 }])).code, 'OK');
  for (const bent of ['99999999999999999999', '9007199254740992', 'nan', 'abc', '', '-1', '1.5']) {
    await redis.pipe([`HSET ${markersKey} ${fieldOfPartition(partition)} "${bent}"`]);
    const corrupt = { code: 'CORRUPT', message: /stored marker/ };
    await assert.rejects(store.claim(life, [{ ...unit, epoch: 6 }]), corrupt, bent);
    await assert.rejects(store.leastMarker(life, partition), corrupt, bent);
    await assert.rejects(store.mark(life, [{ bucket, partition, offset: 60 }]), corrupt, bent);
  }
  await redis.pipe([`HSET ${markersKey} ${fieldOfPartition(partition)} 50`]);
  const claimed = await store.claim(life, [{ ...unit, epoch: 6 }]);
  assert.ok(claimed.code === 'OK');
  assert.deepEqual(claimed.results, [{ code: 'OK', row: null, markers: [{ partition, offset: 50 }] }]);
});

test('a row whose epoch or seq is no exact number is damaged', async () => {
  const { redis, url } = await begin();
  const store = await open(url);
  const life = await store.generationId();
  assert.equal((await store.backup(life, [row(unit, 10)])).code, 'OK');
  for (const [at, bytes] of [
    [4, '\\0\\0\\0\\0\\0\\0\\0\\1'],
    [4, '\\0\\0\\0\\0\\0\\0\\0\\128'],
    [13, '\\0\\0\\0\\0\\0\\0\\32\\0'],
  ] as const) {
    const bent = `string.sub(v,1,${at - 1})..'${bytes}'..string.sub(v,${at + 8})`;
    const script = `local v=redis.call('HGET',KEYS[1],ARGV[1]) redis.call('HSET',KEYS[1],'was',v) return redis.call('HSET',KEYS[1],ARGV[1],${bent})`;
    await redis.pipe([`EVAL "${script.replaceAll('\\', '\\\\')}" 1 ${rowsKey} "${field}"`]);
    const answer = await store.claim(life, [{ ...unit, epoch: 6 }]);
    assert.ok(answer.code === 'OK');
    assert.equal(answer.results[0]!.code, 'CORRUPT', bytes);
    await assert.rejects(store.highestEpoch(), { code: 'CORRUPT' });
    const back = `redis.call('HSET',KEYS[1],ARGV[1],redis.call('HGET',KEYS[1],'was')) return redis.call('HDEL',KEYS[1],'was')`;
    await redis.pipe([`EVAL "${back}" 1 ${rowsKey} "${field}"`]);
  }
  assert.equal(await store.highestEpoch(), 5);
});

test('rows whose life can not be read keep their markers, in another generation', async () => {
  const { redis, url } = await begin();
  const store = await open(url);
  const life = await store.generationId();
  assert.equal((await store.backup(life, [row(unit, 10)])).code, 'OK');
  assert.equal((await store.mark(life, [{ bucket, partition, offset: 50 }])).code, 'OK');
  await redis.cli('HSET', rowsKey, 'g', 'x');
  const answer = await store.claim(life, [{ ...unit, epoch: 6 }]);
  assert.ok(answer.code === 'GENERATION');
  const claimed = await store.claim(answer.generationId, [{ ...unit, epoch: 6 }]);
  assert.ok(claimed.code === 'OK' && claimed.results[0]!.code === 'OK');
  assert.deepEqual(claimed.results[0].markers, [{ partition, offset: 50 }]);
});

test('who has seen another way of keeping has all others look again, and nothing counts as lost', async () => {
  const { redis, url } = await begin();
  const store = await open(url);
  const life = await store.generationId();
  const awaited = await livesSeenWith(url, () => ({ how: 'awaited', replicationId: null }));
  assert.equal((await awaited.read(new Deadline(10_000))).generationId, life);
  const kept = async () => (await redis.cli('HGET', rowsKey, 'g')).trim().split(' ').at(-1);
  assert.equal(await kept(), '2');
  assert.equal((await store.backup(life, [row(unit, 10)])).code, 'OK');
  assert.equal(await kept(), '1', 'this one has looked again, before it wrote');
});

test('a server that has begun another history since it was looked at is looked at again', async () => {
  const { redis, url } = await begin();
  const store = await open(url);
  const life = await store.generationId();
  const now = /master_replid:(\w+)/.exec(await redis.cli('INFO', 'replication'))![1]!;
  const looks: Keeps[] = [
    { how: 'answered', replicationId: 'f'.repeat(40) },
    { how: 'no', replicationId: now },
  ];
  const lives = await livesSeenWith(url, () => looks.shift()!);
  const { generationId } = await lives.read(new Deadline(10_000));
  assert.notEqual(generationId, life, 'by what was seen at last');
  assert.deepEqual(looks, []);
});

test('claims of more large rows than the time of a call is enough for are answered as they come', async () => {
  const { redis, url } = await begin();
  const units = Array.from({ length: 300 }, (_, i) => ({ hi: i, lo: i * 7 }));
  const direct = await open(url);
  const life = await direct.generationId();
  for (let at = 0; at < units.length; at += 100) {
    const rows = units.slice(at, at + 100).map((each) => row(each, 50_000));
    assert.equal((await direct.backup(life, rows)).code, 'OK');
  }
  const proxy = await TcpProxy.start(redis.port, 4_000_000);
  cleanups.push(() => proxy.stop());
  const slow = await open(`redis://127.0.0.1:${proxy.port}`, { callTimeoutMs: 1_500, replyTimeoutMs: 1_500 });
  const answer = await slow.claim(
    life,
    units.map((each) => ({ ...each, epoch: 6 })),
  );
  assert.ok(answer.code === 'OK');
  assert.ok(answer.results.every((result) => result.code === 'OK' && result.row?.length === 50_000));
});

test('an answer that comes too late is not read to its end: the connection is made anew', async () => {
  const { redis, url } = await begin();
  const direct = await open(url);
  assert.equal((await direct.backup(await direct.generationId(), [row(unit, 1_000_000)])).code, 'OK');
  const proxy = await TcpProxy.start(redis.port, 200_000);
  cleanups.push(() => proxy.stop());
  const slow = await open(`redis://127.0.0.1:${proxy.port}`, { callTimeoutMs: 1_000, replyTimeoutMs: 1_000 });
  const made = proxy.connectionCount;
  await assert.rejects(slow.read(unit), { code: 'UNAVAILABLE' });
  await waitFor('another connection', 10_000, () => proxy.connectionCount > made || null);
});
