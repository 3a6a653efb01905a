import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster, inputTopic } from './support/cluster.ts';
import { waitFor } from './support/wait.ts';

const job = fileURLToPath(new URL('./support/stuck-job.ts', import.meta.url));
/** Of a single node two ends at one record are enough for quarantine. */
const endsMax = 2;

interface StuckLine {
  readonly msg: string;
  readonly threads: readonly { readonly name: string; readonly stack: readonly string[] }[];
}

test('a node whose job never comes back ends, and says where the job is; after two ends the user is in quarantine', {
  timeout: 300_000,
}, async (t) => {
  const settings = { job: { name: job }, session: { ttl: '6s', renew: '1500ms', stop: '4500ms' } };
  const cluster = await Cluster.create({ nodes: 1, partitions: 1, settings });
  let failed = true;
  try {
    const node = cluster.nodes[0]!;
    const path = join(cluster.dir, 'run', 'reached');
    await cluster.log.append(inputTopic, 0, [{ key: null, value: Buffer.from(path) }]);
    for (let ends = 1; ends <= endsMax; ends++) {
      node.start();
      await waitFor('the job to be stuck', 60_000, () => existsSync(path) || null, 20);
      await waitFor('the end', 90_000, () => !node.running || null, 50);
      const lines = node.output.split('\n').filter((text) => text.includes('"a shard does not end"'));
      const { threads } = JSON.parse(lines.at(-1)!) as StuckLine;
      assert.deepEqual(
        threads.map(({ name }) => name),
        ['shard-0'],
      );
      assert.match(threads[0]!.stack[0]!, /^paths .*\/stuck-job\.ts:\d+$/);
      rmSync(path);
    }
    node.start();
    const { topicId } = (await cluster.log.describe(inputTopic))!;
    await waitFor('the record to be a letter', 60_000, async () => {
      return (await cluster.log.committed('stuck', { topicId, partition: 0 }))?.offset === 1 || null;
    });
    const { cluster: shown, totals } = (await cluster.status())!;
    assert.deepEqual([shown.quarantined, totals.dead], [1, '1']);
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
