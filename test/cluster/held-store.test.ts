import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';
import { waitFor } from './support/wait.ts';

const lockHolder = fileURLToPath(new URL('./support/lock-holder.ts', import.meta.url));
/** One more than libuv's pool has threads unless it is said. */
const shards = 5;
const session = { ttl: '6s', renew: '1500ms', stop: '4500ms' };
/** Far above the session's life, far below the store's own limit. */
const heldMs = 15_000;

test('a process that stands still inside a store transaction costs no node its session, however many shards wait', {
  timeout: 300_000,
}, async (t) => {
  const cluster = await Cluster.create({ nodes: 1, partitions: 4, settings: { shards, session } });
  let failed = true;
  try {
    const node = cluster.nodes[0]!;
    node.start();
    const sessionNow = async () => (await cluster.status())?.nodes[0]?.session.id ?? null;
    const before = await waitFor('a session', 60_000, sessionNow);
    const holder = spawn(
      process.execPath,
      ['--conditions=source', lockHolder, join(cluster.dir, 'store'), `${heldMs}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const gone = once(holder, 'exit');
    await Promise.race([once(holder.stdout, 'data'), gone]);
    // New users without end: each shard has claims to write.
    await feed({ log: cluster.log }, { seed: 1, records: 20_000, users: 10_000, overMs: 10_000, atLeastUntil: gone });
    assert.equal(holder.exitCode, 0);
    await cluster.waitUntilCommitted(120_000);
    assert.equal(await sessionNow(), before);
    assert.doesNotMatch(node.output, /session lost/);
    assert.equal(await node.signal('SIGTERM'), 0);
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
