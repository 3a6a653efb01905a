import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster, inputTopic } from './support/cluster.ts';
import { waitFor } from './support/wait.ts';

const job = fileURLToPath(new URL('./support/stuck-job.ts', import.meta.url));
/** A shard that is stuck is waited for 20 s, where nobody is in a hurry. */
const atOnceMs = 10_000;
/** Less than the loss of a session, after which a stuck shard is waited for, takes. */
const failedMs = 20_000;
/** What comes sooner is the first one, which arrived twice. */
const laterMs = 1_000;

for (const where of ['loop', 'call'])
  test(`a second signal ends a node at once, though a shard is stuck in a ${where}`, {
    timeout: 120_000,
  }, async (t) => {
    const cluster = await Cluster.create({ nodes: 1, partitions: 1, settings: { job: { name: job } } });
    let failed = true;
    try {
      const [node] = cluster.nodes;
      node!.start();
      const path = join(cluster.dir, 'run', `reached-${where}`);
      await cluster.log.append(inputTopic, 0, [{ key: null, value: Buffer.from(path) }]);
      await waitFor('the job to be stuck', 60_000, () => existsSync(path) || null, 20);
      process.kill(node!.pid!, 'SIGTERM');
      await waitFor('the draining', 5_000, () => node!.output.includes('"draining"') || null, 20);
      const firstMs = performance.now();
      await waitFor('a moment', 5_000, () => performance.now() - firstMs > laterMs || null, 20);
      const begunMs = performance.now();
      await node!.signal('SIGTERM');
      const tookMs = performance.now() - begunMs;
      // An exit would wait for the thread.
      assert.equal(node!.signalCode, 'SIGKILL');
      assert.ok(tookMs < atOnceMs, `${Math.round(tookMs)} ms`);
      assert.match(node!.output, /"stopping at once"/);
      failed = false;
    } finally {
      if (failed) t.diagnostic(`kept: ${cluster.dir}`);
      await cluster.dispose(failed);
    }
  });

test('a node that fails ends at once, though another shard of it is stuck in a call', {
  timeout: 120_000,
}, async (t) => {
  const settings = { job: { name: job }, shards: 2 };
  const cluster = await Cluster.create({ nodes: 1, partitions: 2, settings });
  let failed = true;
  try {
    const [node] = cluster.nodes;
    node!.start();
    const path = join(cluster.dir, 'run', 'reached-call');
    await cluster.log.append(inputTopic, 0, [{ key: null, value: Buffer.from(path) }]);
    await waitFor('the job to be stuck', 60_000, () => existsSync(path) || null, 20);
    const begunMs = performance.now();
    // Some of these are of the other shard, which reads one of the partitions at least.
    const ends = Array.from({ length: 40 }, (_, i) => ({ key: null, value: Buffer.from(`${i}-end`) }));
    for (const partition of [0, 1]) await cluster.log.append(inputTopic, partition, ends);
    await waitFor('the end', 60_000, () => !node!.running || null, 50);
    const tookMs = performance.now() - begunMs;
    assert.equal(node!.signalCode, 'SIGKILL');
    assert.match(node!.output, /^holdfast: node n1 failed: .*stopped by its record/m);
    assert.ok(tookMs < failedMs, `${Math.round(tookMs)} ms`);
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
