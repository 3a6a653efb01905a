import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster, inputTopic } from './support/cluster.ts';
import { waitFor } from './support/wait.ts';

const job = fileURLToPath(new URL('./support/stopping-job.ts', import.meta.url));
/** Of a single node two ends at one record are enough for quarantine. */
const starts = 3;

test('a job that stops at a record ends its node there until it is mended, and nobody is quarantined', {
  timeout: 120_000,
}, async (t) => {
  const settings = { job: { name: job }, backup: { interval: '1s' } };
  const cluster = await Cluster.create({ nodes: 1, partitions: 1, settings });
  const node = cluster.nodes[0]!;
  let failed = true;
  try {
    const bug = join(cluster.dir, 'run', 'bug');
    writeFileSync(bug, '');
    await cluster.log.append(inputTopic, 0, [{ key: null, value: Buffer.from(bug) }]);
    for (let n = 0; n < starts; n++) {
      node.start();
      await waitFor('the node to end', 30_000, () => !node.running || null, 20);
      assert.equal(node.output.split('"this node can not go on"').length, n + 2);
    }
    assert.match(node.output, /job 'stopping' stops at access-log\/0@0: the handler of 'paths' threw Error: a bug/);
    rmSync(bug);
    node.start();
    const { topicId } = (await cluster.log.describe(inputTopic))!;
    await waitFor('the record to be durable', 60_000, async () => {
      return (await cluster.log.committed('stopping', { topicId, partition: 0 }))?.offset === 1 || null;
    });
    const status = (await cluster.status())!;
    assert.deepEqual([status.cluster.quarantined, status.totals.dead], [0, '0']);
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
