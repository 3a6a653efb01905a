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
