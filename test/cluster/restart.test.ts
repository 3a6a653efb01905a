import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllApplied } from './support/all-read.ts';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';
import { waitFor } from './support/wait.ts';

const records = 60_000;

async function appliedSome(cluster: Cluster): Promise<void> {
  await waitFor('a part to be applied', 60_000, async () => {
    const status = await cluster.status();
    return Number(status?.totals.applied ?? 0) > 2_000 || null;
  });
}

test('SIGTERM to the whole cluster in mid-run and a start on the same folder lose and repeat nothing', async () => {
  const cluster = await Cluster.create({ nodes: 3, partitions: 3 });
  try {
    for (const node of cluster.nodes) node.start();
    const feeding = feed(cluster, { seed: 3, records, users: 5_000, overMs: 20_000 });
    for (let stops = 0; stops < 2; stops++) {
      await appliedSome(cluster);
      const codes = await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
      assert.deepEqual(codes, [0, 0, 0], 'every node drains and exits 0');
      for (const node of cluster.nodes) node.start();
    }
    await feeding;
    const fedMs = performance.now();
    await waitFor('everything to be applied', 120_000, async () => {
      return isAllApplied(await cluster.status(), fedMs) || null;
    });
    const lastCodes = await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    assert.deepEqual(lastCodes, [0, 0, 0]);
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] }, 'every row is written');
    // A partition that moves from a node which drains to one that is about to is read again from what is committed.
    for (const node of cluster.nodes) node.start();
    await cluster.waitUntilCommitted(120_000);
    await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
  } finally {
    await cluster.dispose();
  }
});
