import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';
import type { NodeProcess } from './support/node-process.ts';
import { waitFor } from './support/wait.ts';

/** Has it listen on all addresses, on the ports that it has. */
function listenEverywhere({ configPath }: NodeProcess): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8'));
  for (const name of ['control', 'gossip', 'shards']) {
    config.listen[name] = config.listen[name].replace(/^.*:/, '0.0.0.0:');
  }
  writeFileSync(configPath, JSON.stringify(config));
}

test('nodes that listen on 0.0.0.0 find each other by what cluster.peers says, with control, gossip and streams', {
  timeout: 180_000,
}, async (t) => {
  const settings = { gossip: { seal: 'none' }, backup: { interval: '2s' } };
  const cluster = await Cluster.create({ nodes: 3, partitions: 3, settings });
  let failed = true;
  try {
    for (const node of cluster.nodes) {
      listenEverywhere(node);
      node.start();
    }
    const status = await waitFor('three nodes', 60_000, async () => {
      const found = await cluster.status();
      const ready = found?.nodes.filter(({ member, session }) => member === 'alive' && session.id !== null) ?? [];
      return ready.length === 3 ? found : null;
    });
    const shards = status.nodes.flatMap(({ shards }) => shards.map(({ address }) => address!));
    for (const address of [...status.nodes.map(({ addr }) => addr), ...shards]) assert.match(address, /^127\.0\.0\.1:/);
    await feed(cluster, { seed: 7, records: 2_000, users: 300, overMs: 2_000 });
    await cluster.waitUntilCommitted(60_000);
    assert.ok(Number((await cluster.status())!.totals.forwarded) > 0);
    await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
