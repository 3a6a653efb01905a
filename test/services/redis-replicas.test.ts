import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { RedisBackupStore } from '@holdfast/backup-redis';
import type { RowWrite } from '@holdfast/engine';
import { freePorts } from '../cluster/support/free-ports.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { type RedisConfig, RedisServer, serviceFolder, startRedis } from './redis-server.ts';

const { dir, remove } = serviceFolder('redis-replicas');
const cleanups: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  remove();
});

const synced: RedisConfig = { appendonly: 'yes', appendfsync: 'always' };

async function startMaster(): Promise<RedisServer> {
  const master = await startRedis(dir, synced);
  cleanups.push(() => master.stop());
  return master;
}

/** Resolves once it has copied everything, and has it in its files. */
async function follow(master: RedisServer): Promise<RedisServer> {
  const [port] = await freePorts(1);
  const replica = new RedisServer(port!, join(dir, `replica-${port}`), {
    ...synced,
    replicaof: `127.0.0.1 ${master.port}`,
  });
  cleanups.push(() => replica.stop());
  await master.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
  await replica.start();
  await waitFor('a replica', 20_000, async () => {
    const info = await replica.cli('INFO');
    const has = ['master_link_status:up', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'];
    return has.every((line) => info.includes(line)) ? true : null;
  });
  return replica;
}

/** WAIT would wait for what its own connection has written. */
async function caughtUp(replica: RedisServer, master: RedisServer): Promise<void> {
  await waitFor('the replica to catch up', 20_000, async () => {
    const written = /master_repl_offset:(\d+)/.exec(await master.cli('INFO', 'replication'))?.[1];
    const copied = /slave_repl_offset:(\d+)/.exec(await replica.cli('INFO', 'replication'))?.[1];
    return written !== undefined && written === copied ? true : null;
  });
}

/** The data of the replica, as a master where the lost one was. */
async function takePlace(replica: RedisServer, lost: RedisServer): Promise<RedisServer> {
  await lost.stop();
  await replica.stop();
  const server = new RedisServer(lost.port, replica.dir, synced);
  cleanups.push(() => server.stop());
  await server.start();
  const info = await server.cli('INFO', 'replication');
  assert.ok(info.includes('role:master') && /master_replid2:0+\s/.test(info), 'as after any restart');
  return server;
}

async function open(server: RedisServer): Promise<RedisBackupStore> {
  const store = await RedisBackupStore.open({ url: `redis://${server.address}`, connectDeadlineMs: 10_000 });
  cleanups.push(() => store.close());
  return store;
}

const row = (seq: number): RowWrite => {
  return { hi: 1, lo: 7, epoch: 5, seq, row: new Uint8Array(100).fill(seq), savedUnixMs: 1_000 };
};

async function accepted(store: RedisBackupStore, life: string, seq: number): Promise<void> {
  assert.deepEqual(await store.backup(life, [row(seq)]), { code: 'OK', results: [{ code: 'OK' }] });
}

describe('F29: a replica of a single server takes its place', () => {
  for (const by of ['its configuration', 'REPLICAOF NO ONE'] as const) {
    test(`made a master by ${by} and started again, it counts as a loss`, async () => {
      const master = await startMaster();
      const replica = await follow(master);
      const store = await open(master);
      assert.equal(store.persistence, 'always');
      const life = await store.generationId();
      await accepted(store, life, 1);
      await caughtUp(replica, master);
      if (by === 'REPLICAOF NO ONE') await replica.cli('REPLICAOF', 'NO', 'ONE');
      else await replica.stop();
      await accepted(store, life, 2);
      await store.close();

      const next = await open(await takePlace(replica, master));
      assert.notEqual(await next.generationId(), life);
      assert.equal((await next.read(row(1)))?.seq, 1, 'an acknowledged row is gone');
    });
  }

  test('a replica that comes and goes between two calls has a life that is over', async () => {
    const master = await startMaster();
    const store = await open(master);
    const life = await store.generationId();
    await accepted(store, life, 1);
    const replica = await follow(master);
    await replica.stop();
    const refused = await store.backup(life, [row(2)]);
    assert.ok(refused.code === 'GENERATION');
    await accepted(store, refused.generationId, 2);
    await store.close();

    const next = await open(await takePlace(replica, master));
    assert.equal(await next.generationId(), life, 'it was no replica any more when that was given up');
    assert.notEqual(life, refused.generationId);
  });

  test('a life of an earlier version, kept in spite of replicas, is given up', async () => {
    const master = await startMaster();
    await follow(master);
    const store = await open(master);
    const life = await store.generationId();
    const everyLife = `for _, key in ipairs(redis.call('KEYS', '*:rows')) do
      redis.call('HSET', key, 'g', (string.gsub(redis.call('HGET', key, 'g'), '0$', '1')))
    end`;
    await master.cli('EVAL', everyLife, '0');
    const next = await store.generationId();
    assert.notEqual(next, life);
    assert.equal(await store.generationId(), next, 'once');
    await accepted(store, next, 1);
  });

  test('a restart of a master with replicas counts as a loss', async () => {
    const master = await startMaster();
    await follow(master);
    const store = await open(master);
    const life = await store.generationId();
    await master.stop();
    await master.start();
    const next = await waitFor('an answer', 20_000, () => store.generationId().catch(() => null));
    assert.notEqual(next, life);
  });
});
