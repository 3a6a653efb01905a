import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { RedisBackupStore } from '@holdfast/backup-redis';
import type { RowWrite } from '@holdfast/engine';
import { bucketOf, topicId } from '@holdfast/model';
import { waitFor } from '../cluster/support/wait.ts';
import { sentinelMasterName, startRedisCluster, startSentinelTrio } from './redis-groups.ts';
import { caughtUp, serviceFolder } from './redis-server.ts';

const { dir, remove } = serviceFolder('redis-failover');
const cleanups: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  remove();
});

const quick = { callTimeoutMs: 2_000, replyTimeoutMs: 1_000, connectDeadlineMs: 10_000 };
const partition = { topicId: topicId('t'), partition: 0 };

function rows(count: number, epoch: number, seq: number): RowWrite[] {
  return Array.from({ length: count }, (_, i) => {
    return { hi: i, lo: i * 7, epoch, seq, row: new Uint8Array(100).fill(seq), savedUnixMs: 1_000 };
  });
}

/** Asks until something is answered: a store that fails over rejects meanwhile. */
function answered<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean = () => true): Promise<T> {
  return waitFor('an answer of the store', 40_000, async () => {
    const answer = await ask().catch((error: { code?: string }) => {
      if (error.code !== 'UNAVAILABLE') throw error;
      return null;
    });
    return answer !== null && isIt(answer) ? answer : null;
  });
}

describe('F30: a failover loses accepted writes', () => {
  test('Sentinel: another life, the old one fenced; the old master, still writable, takes nothing of the new', async () => {
    const trio = await startSentinelTrio(dir);
    cleanups.push(() => trio.stop());
    const sentinel = { name: sentinelMasterName, nodes: trio.sentinels.map(({ address }) => address) };
    const store = await RedisBackupStore.open({ sentinel, ...quick });
    const atOldMaster = await RedisBackupStore.open({ url: `redis://${trio.master.address}`, ...quick });
    cleanups.push(
      () => store.close(),
      () => atOldMaster.close(),
    );
    const life = await store.generationId();
    await store.adopt(life, '');
    assert.equal((await store.backup(life, rows(20, 5, 1))).code, 'OK');
    await store.mark(life, [{ bucket: 7, partition, offset: 10 }]);
    await caughtUp(trio.replica, trio.master);

    // From here on nothing reaches the replica.
    await trio.master.cli('ACL', 'SETUSER', 'follower', 'off');
    await trio.master.cli('CLIENT', 'KILL', 'TYPE', 'replica');
    assert.equal((await store.backup(life, rows(20, 5, 2))).code, 'OK');
    await store.mark(life, [{ bucket: 7, partition, offset: 99 }]);
    trio.master.signal('SIGSTOP');
    await waitFor('a failover', 40_000, async () => ((await trio.masterPort()) === trio.replica.port ? true : null));

    const refused = await answered(
      () => store.backup(life, rows(20, 5, 3)),
      ({ code }) => code === 'GENERATION',
    );
    assert.ok(refused.code === 'GENERATION');
    const next = refused.generationId;
    assert.notEqual(next, life);
    assert.deepEqual(await store.adopt(next, 'another'), { code: 'OK', results: [false] });
    assert.equal((await store.read({ hi: 1, lo: 7 }))?.seq, 1, 'the accepted row is lost');
    const claimed = await store.claim(next, [{ hi: 1, lo: 7, epoch: 6 }]);
    assert.ok(claimed.code === 'OK' && claimed.results[0]?.code === 'OK');
    assert.deepEqual(claimed.results[0].markers, [{ partition, offset: 10 }], 'and so is what vouched for it');

    // The old master wakes up and doesn't know yet that it is none.
    trio.master.signal('SIGCONT');
    const late = await answered(() => atOldMaster.backup(next, rows(1, 6, 1)));
    assert.equal(late.code, 'GENERATION', 'a call of the new life is refused where the old one goes on');
    assert.equal((await store.read({ hi: 0, lo: 0 }))?.seq, 1);
    await waitFor('the old master to follow', 40_000, async () => {
      return (await trio.master.cli('INFO', 'replication')).includes('role:slave') ? true : null;
    });
    assert.equal(await answered(() => store.generationId()), next, 'a life goes on once it is begun');
    assert.equal((await store.backup(next, rows(20, 6, 1))).code, 'OK');
  });

  test('Sentinel: a killed master; whoever looks for the next one when it is named goes on', {
    timeout: 180_000,
  }, async () => {
    const trio = await startSentinelTrio(join(dir, 'killed'));
    const sentinel = { name: sentinelMasterName, nodes: trio.sentinels.map(({ address }) => address) };
    const stores = await Promise.all(Array.from({ length: 12 }, () => RedisBackupStore.open({ sentinel, ...quick })));
    cleanups.push(
      () => trio.stop(),
      () => Promise.all(stores.map((store) => store.close())),
    );
    const servers = [trio.master, trio.replica];
    // It doesn't answer, so that looking for the master takes long.
    trio.sentinels[0]!.signal('SIGSTOP');
    const masterPort = async () =>
      Number(
        (await trio.sentinels[1]!.cli('--raw', 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinelMasterName)).split(
          '\n',
        )[1],
      );
    for (let round = 0; round < 2; round++) {
      const [master, replica] = (await masterPort()) === servers[0]!.port ? servers : [servers[1]!, servers[0]!];
      await master!.stop();
      await waitFor('a failover', 40_000, async () => ((await masterPort()) === replica!.port ? true : null));
      for (const store of stores) await answered(() => store.generationId());
      await master!.start();
      await waitFor('a replica that follows', 40_000, async () => {
        return (await master!.cli('INFO', 'replication')).includes('master_link_status:up') ? true : null;
      });
    }
  });

  test('Cluster: a shard that fails over makes it another life; the others keep their rows', async () => {
    const cluster = await startRedisCluster(dir);
    cleanups.push(() => cluster.stop());
    const nodes = cluster.nodes.map(({ address }) => address);
    const store = await RedisBackupStore.open({ cluster: { nodes }, ...quick });
    cleanups.push(() => store.close());
    const life = await store.generationId();
    await store.adopt(life, '');
    assert.equal((await store.backup(life, rows(300, 5, 1))).code, 'OK');
    const [victim] = await cluster.masters();
    await victim!.stop();
    const refused = await answered(
      () => store.backup(life, rows(300, 5, 2)),
      ({ code }) => code === 'GENERATION',
    );
    assert.ok(refused.code === 'GENERATION');
    // Which is final only when the last bucket has been asked at its new master.
    const next = await answered(() => store.generationId());
    assert.notEqual(next, life);
    assert.deepEqual(await answered(() => store.adopt(next, life)), { code: 'OK', results: [true] });
    assert.equal((await answered(() => store.backup(next, rows(300, 6, 1)))).code, 'OK');
    let count = 0;
    for await (const row of store.scan()) {
      count++;
      assert.equal(row.epoch, 6);
    }
    assert.equal(count, 300);
    assert.equal(await store.highestEpoch(), 6);
  });

  test('Cluster: a slot on its way to a server that is away costs calls, and not the process', async () => {
    const cluster = await startRedisCluster(join(dir, 'migrating'));
    cleanups.push(() => cluster.stop());
    const nodes = cluster.nodes.map(({ address }) => address);
    const store = await RedisBackupStore.open({ cluster: { nodes }, ...quick });
    cleanups.push(() => store.close());
    const life = await store.generationId();
    const [unit] = rows(1, 5, 1);
    const key = `holdfast:{b${bucketOf(unit!.hi, unit!.lo)}}:rows`;
    const masters = await cluster.masters();
    const slot = await masters[0]!.cli('CLUSTER', 'KEYSLOT', key);
    const holds = await Promise.all(masters.map((master) => master.cli('CLUSTER', 'COUNTKEYSINSLOT', slot)));
    const from = masters.find((_, i) => Number(holds[i]) > 0)!;
    const to = masters.find((master) => master !== from)!;
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await from.cli('CLUSTER', 'MYID'));
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await to.cli('CLUSTER', 'MYID'));
    await from.cli('MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000');
    assert.equal(await store.read(unit!), null, 'it is asked for where it is now');
    await to.stop();
    // The test runner fails a test in whose time a promise is rejected that nobody minds.
    await assert.rejects(store.read(unit!), /no answer/);
    await assert.rejects(store.backup(life, rows(1, 5, 1)), /no answer/);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'STABLE');
    assert.notEqual(await answered(() => store.generationId()), life, 'a bucket is gone');
  });

  test('Cluster: one master emptied, or its function flushed', async () => {
    const cluster = await startRedisCluster(join(dir, 'second'));
    cleanups.push(() => cluster.stop());
    const store = await RedisBackupStore.open({ cluster: { nodes: [cluster.nodes[0]!.address] }, ...quick });
    cleanups.push(() => store.close());
    const life = await store.generationId();
    await store.adopt(life, '');
    assert.equal((await store.backup(life, rows(300, 5, 1))).code, 'OK');
    const masters = await cluster.masters();
    await masters[1]!.cli('FUNCTION', 'FLUSH');
    assert.equal((await store.backup(life, rows(300, 5, 2))).code, 'OK');
    await masters[1]!.cli('FLUSHALL');
    assert.equal((await store.backup(life, rows(300, 5, 3))).code, 'GENERATION');
    const next = await store.generationId();
    assert.notEqual(next, life);
    assert.deepEqual(
      await store.adopt(next, life),
      { code: 'OK', results: [true] },
      'an empty bucket vouches for nothing',
    );
  });
});
