import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';

const partitions = 3;
const users = 2_000;
const committedMs = 120_000;

test('a cluster founded over the log of another, without its store, reads everything and commits', async () => {
  const cluster = await Cluster.create({ nodes: 1, partitions });
  const [node] = cluster.nodes;
  try {
    node!.start();
    await feed(cluster, { seed: 11, records: 12_000, users, overMs: 3_000 });
    await cluster.waitUntilCommitted(committedMs);
    const first = await cluster.log.highestFence();
    assert.equal(await node!.signal('SIGTERM'), 0);
    node!.start();
    await feed(cluster, { seed: 12, records: 6_000, users, overMs: 1_000 });
    await cluster.waitUntilCommitted(committedMs);
    assert.equal(await node!.signal('SIGTERM'), 0);
    const fence = await cluster.log.highestFence();
    assert.ok(
      fence > first,
      `${fence} after ${first}: a cluster's first leases are below the fences of its later ones`,
    );

    for (const lost of ['nodes', 'store']) rmSync(join(cluster.dir, lost), { recursive: true });
    node!.start();
    await feed(cluster, { seed: 13, records: 3_000, users, overMs: 1_000 });
    await cluster.waitUntilCommitted(committedMs);
    assert.ok((await cluster.log.highestFence()) > fence);
    assert.equal(await node!.signal('SIGTERM'), 0);
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
    const { records } = await cluster.recounted();
    assert.equal(records, 21_000);
  } finally {
    await cluster.dispose();
  }
});
