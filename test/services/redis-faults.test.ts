import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import type { RowWrite } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import { waitFor } from '../cluster/support/wait.ts';
import { type RedisConfig, type RedisServer, serviceFolder, startRedis } from './redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const { dir, remove } = serviceFolder('redis-faults');
const cleanups: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  remove();
});

/** Short, so that a server that is away is given up within a test's time. */
const quick = { callTimeoutMs: 1_500, replyTimeoutMs: 700, connectDeadlineMs: 10_000 };
const synced: RedisConfig = { appendonly: 'yes', appendfsync: 'always' };
const partition = { topicId: topicId('t'), partition: 0 };

async function server(config: RedisConfig = synced): Promise<RedisServer> {
  const started = await startRedis(dir, config);
  cleanups.push(() => started.stop());
  return started;
}

async function open(port: number, options: Partial<RedisStoreOptions> = {}): Promise<RedisBackupStore> {
  const store = await RedisBackupStore.open({ url: `redis://127.0.0.1:${port}`, ...quick, ...options });
  cleanups.push(() => store.close());
  return store;
}

function rows(count: number, epoch: number, seq: number, bytes = 200): RowWrite[] {
  return Array.from({ length: count }, (_, i) => {
    return { hi: i, lo: i * 7, epoch, seq, row: new Uint8Array(bytes).fill(seq), savedUnixMs: 1_000 };
  });
}

async function accepted(store: RedisBackupStore, life: string, writes: readonly RowWrite[]): Promise<void> {
  const answer = await store.backup(life, writes);
  assert.ok(answer.code === 'OK', `answered ${answer.code}`);
  assert.ok(answer.results.every(({ code }) => code === 'OK'));
}

/** As the engine's store loop does: the same bytes until they are answered. */
async function acceptedInTheEnd(store: RedisBackupStore, life: string, writes: readonly RowWrite[]): Promise<void> {
  await waitFor('the store to take it', 20_000, async () => {
    try {
      await accepted(store, life, writes);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === 'UNAVAILABLE') return null;
      throw error;
    }
  });
}

describe('F27: the store is down and comes back', () => {
  test('calls reject in bounded time and memory; the same bytes are taken afterwards', async () => {
    const redis = await server();
    const store = await open(redis.port);
    const life = await store.generationId();
    await accepted(store, life, rows(500, 1, 1));
    await redis.stop();
    const writes = rows(2_000, 1, 2, 1_000);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      await assert.rejects(store.backup(life, writes), { code: 'UNAVAILABLE', message: /no answer from redis 127/ });
      assert.ok(performance.now() - startMs < quick.callTimeoutMs + 1_500);
    }
    global.gc?.();
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20, 'nothing is kept for later');
    await redis.start();
    await acceptedInTheEnd(store, life, writes);
    assert.equal(await store.generationId(), life, 'a restart that keeps everything is no loss');
    assert.equal((await store.read(writes[7]!))?.seq, 2);
  });

  test('at the start it is waited for, and said so', async () => {
    const redis = await server();
    await redis.stop();
    const said: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, child: () => logger, warn: (text: string) => said.push(text) };
    const opening = RedisBackupStore.open({ url: `redis://${redis.address}`, ...quick }, logger as never);
    await waitFor('a word about it', 5_000, () => (said.length >= 2 ? true : null), 20);
    await redis.start();
    await (await opening).close();
    const gone = RedisBackupStore.open({ url: 'redis://127.0.0.1:1', ...quick, connectDeadlineMs: 500 });
    await assert.rejects(gone, { code: 'UNREACHABLE', message: /redis 127.0.0.1:1 can't be reached .*ECONNREFUSED/ });
  });
});

test('F28: a frozen store: calls reject in bounded time and memory, and nothing is sent twice under way', async () => {
  const redis = await server();
  const store = await open(redis.port);
  const life = await store.generationId();
  const writes = rows(2_000, 1, 1, 2_000);
  redis.signal('SIGSTOP');
  try {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 5; i++) await assert.rejects(store.backup(life, writes), { code: 'UNAVAILABLE' });
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20, 'what the server does not read is not kept');
  } finally {
    redis.signal('SIGCONT');
  }
  await acceptedInTheEnd(store, life, writes);
  await accepted(store, life, rows(2_000, 1, 2, 10));
  assert.equal((await store.read(writes[0]!))?.seq, 2, 'what the frozen server had in its buffers changes nothing');
});

describe('F29: data is lost', () => {
  test('FLUSHALL begins another life, for calls as for questions', async () => {
    const redis = await server();
    const [store, other] = [await open(redis.port), await open(redis.port)];
    const life = await store.generationId();
    assert.equal(await other.generationId(), life);
    await accepted(store, life, rows(10, 5, 1));
    await redis.cli('FLUSHALL');
    const refused = await store.backup(life, rows(10, 5, 2));
    assert.ok(refused.code === 'GENERATION');
    assert.notEqual(refused.generationId, life);
    assert.deepEqual(await other.claim(life, [{ hi: 1, lo: 7, epoch: 9 }]), refused);
    assert.equal(await other.generationId(), refused.generationId);
    assert.equal(await store.read({ hi: 1, lo: 7 }), null);
    await accepted(other, refused.generationId, rows(10, 5, 2));
  });

  test('one bucket that lost its rows is another life of the store, and its markers go with them', async () => {
    const redis = await server();
    const store = await open(redis.port);
    const life = await store.generationId();
    await accepted(store, life, rows(10, 5, 1));
    const marks = Array.from({ length: 1_024 }, (_, bucket) => ({ bucket, partition, offset: 50 }));
    await store.mark(life, marks);
    assert.deepEqual(await store.leastMarker(life, partition), { code: 'OK', results: [50] });
    await redis.cli('DEL', 'holdfast:{b7}:rows');
    assert.equal((await store.claim(life, [{ hi: 1, lo: 7, epoch: 6 }])).code, 'GENERATION');
    const next = await store.generationId();
    assert.notEqual(next, life);
    assert.deepEqual(await store.leastMarker(next, partition), { code: 'OK', results: [0] });
    assert.equal((await store.read({ hi: 0, lo: 0 }))?.epoch, 5, 'the others keep theirs');
  });

  for (const [name, config, isLoss] of [
    ['nothing on disk', { appendonly: 'no' }, true],
    ['everysec without WAITAOF', { appendonly: 'yes', appendfsync: 'everysec' }, true],
    ['always', synced, false],
  ] as const) {
    test(`a restart with ${name} ${isLoss ? 'counts as a loss' : 'keeps the life'}`, async () => {
      const redis = await server(config);
      const store = await open(redis.port);
      const life = await store.generationId();
      const awaits = store.persistence === 'everysec-awaited';
      await accepted(store, life, rows(10, 5, 1));
      await redis.stop();
      await redis.start();
      const answer = await waitFor('an answer', 10_000, () => store.backup(life, rows(10, 5, 2)).catch(() => null));
      assert.equal(answer.code, isLoss && !awaits ? 'GENERATION' : 'OK');
      const kept = (await store.read({ hi: 1, lo: 7 }))?.epoch ?? null;
      assert.equal(kept, config.appendonly === 'no' ? null : 5);
    });
  }

  test('a server that kept little and is set up better counts its restart as a loss, once', async () => {
    const redis = await server({ appendonly: 'yes', appendfsync: 'no' });
    const store = await open(redis.port);
    const life = await store.generationId();
    await redis.stop();
    await redis.start({ appendfsync: 'always' });
    const next = await waitFor('an answer', 10_000, () => store.generationId().catch(() => null));
    assert.notEqual(next, life);
    await redis.stop();
    await redis.start();
    assert.equal(await waitFor('an answer', 10_000, () => store.generationId().catch(() => null)), next);
  });
});

test('a file that was no longer written to is another life than what was written since', async () => {
  const redis = await server({ appendonly: 'yes', appendfsync: 'always' });
  const store = await open(redis.port);
  const life = await store.generationId();
  const row = (seq: number) => ({ hi: 1, lo: 7, epoch: 5, seq, row: new Uint8Array(10).fill(seq), savedUnixMs: 1_000 });
  assert.equal((await store.backup(life, [row(1)])).code, 'OK');
  await redis.cli('CONFIG', 'SET', 'appendonly', 'no');
  const next = await store.generationId();
  assert.notEqual(next, life, 'what comes now is not in the file');
  assert.equal(await store.generationId(), next, 'once');
  assert.equal((await store.backup(next, [row(2)])).code, 'OK');
  await redis.stop();
  await redis.start();
  const back = await waitFor('an answer', 10_000, () => store.generationId().catch(() => null));
  assert.equal(back, life, 'the one that was given up');
  assert.equal((await store.backup(next, [row(3)])).code, 'GENERATION');
});

describe('F31: no room', () => {
  test('out of memory refuses whole calls; the same bytes are taken when there is room', async () => {
    const redis = await server();
    const store = await open(redis.port);
    const life = await store.generationId();
    await accepted(store, life, rows(100, 1, 1));
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1mb');
    const writes = rows(100, 1, 2);
    await assert.rejects(store.backup(life, writes), { code: 'FULL', message: /raise maxmemory/ });
    assert.equal((await store.read(writes[3]!))?.seq, 1);
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await accepted(store, life, writes);
  });

  test('a server that throws keys away is refused', async () => {
    const redis = await server({ ...synced, 'maxmemory-policy': 'allkeys-lru' });
    await assert.rejects(open(redis.port), {
      code: 'UNSUITABLE',
      message: new RegExp(
        `127.0.0.1:${redis.port} has maxmemory-policy allkeys-lru.*CONFIG SET maxmemory-policy noeviction`,
      ),
    });
  });
});

test('F32: functions and scripts that were flushed are loaded again, and fence as before', async () => {
  const redis = await server();
  const [store, scripted] = [await open(redis.port), await open(redis.port, { commands: 'script' })];
  const life = await store.generationId();
  await accepted(store, life, rows(50, 5, 1));
  for (let seq = 2; seq < 6; seq++) {
    await redis.cli('FUNCTION', 'FLUSH');
    await redis.cli('SCRIPT', 'FLUSH');
    await accepted(seq % 2 === 0 ? store : scripted, life, rows(50, 5, seq));
    await redis.cli('FUNCTION', 'FLUSH');
    await redis.cli('SCRIPT', 'FLUSH');
    for (const each of [store, scripted]) {
      const answer = await each.backup(life, rows(1, 4, 99));
      assert.deepEqual(answer, { code: 'OK', results: [{ code: 'FENCED', epoch: 5 }] });
    }
  }
});

test('F33: a reply is lost after its call was carried out: the same bytes again, counted once', async () => {
  const redis = await server();
  const proxy = await TcpProxy.start(redis.port);
  cleanups.push(() => proxy.stop());
  const store = await open(proxy.port);
  const life = await store.generationId();
  for (let seq = 1; seq <= 5; seq++) {
    proxy.loseReplyTo('backup');
    await accepted(store, life, rows(1, 5, seq));
    assert.equal(proxy.cutCount, 2 * seq - 1);
    assert.equal((await store.read({ hi: 0, lo: 0 }))?.seq, seq);
    proxy.loseReplyTo('claim');
    const answer = await store.claim(life, [{ hi: 10 + seq, lo: 1, epoch: seq }]);
    assert.deepEqual(answer, { code: 'OK', results: [{ code: 'OK', row: null, markers: [] }] });
    assert.equal(proxy.cutCount, 2 * seq);
  }
});
