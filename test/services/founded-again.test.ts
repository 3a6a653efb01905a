import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compare } from '@holdfast/access-anomaly';
import { feed } from '../cluster/support/feeder.ts';
import { ClusterOnKafka } from './cluster-on-kafka.ts';

const users = 2_000;
const committedMs = 120_000;

test('a cluster founded on an empty Redis believes no offset that another has committed in Kafka', async () => {
  const cluster = await ClusterOnKafka.create({ nodes: 1, partitions: 2, backupInterval: '2s' });
  const [node] = cluster.nodes;
  try {
    node!.start();
    await cluster.healthy();
    await feed(cluster, { seed: 21, records: 8_000, users, overMs: 2_000 });
    await cluster.waitUntilCommitted(committedMs);
    assert.equal(await node!.signal('SIGTERM'), 0);

    await cluster.redis.cli('FLUSHALL');
    rmSync(join(cluster.dir, node!.id, 'data'), { recursive: true });
    node!.start();
    await cluster.healthy();
    const fed = await feed(cluster, { seed: 22, records: 2_000, users, overMs: 1_000 });
    await cluster.waitUntilCommitted(committedMs);
    const recounted = await cluster.recounted();
    assert.equal(recounted.records, 8_000 + fed);
    const { lost, duplicates, differences } = compare(await cluster.exported(), recounted);
    assert.deepEqual([lost, duplicates, differences.slice(0, 5)], [0, 0, []]);
  } finally {
    await cluster.dispose(false);
  }
});
