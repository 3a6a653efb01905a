import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginBackground, repeat } from '../simulation/background.ts';
import { WorldRun } from '../simulation/simulated-run.ts';
import { inputTopic } from './cluster-job.ts';
import { ClusterWorld } from './cluster-world.ts';
import { Producers } from './producers.ts';

const cutAtMs = 20_000;
/** From the cut on: until the node has stopped, its session has ended, and its partitions are read again. */
const overWithinMs = 35_000;
const backupsMs = 15_000;

/** Records all the time, moves now and then, and one node, which doesn't lead, without the log. No other fault. */
async function committedOfEnds(seed: number): Promise<readonly [committed: number, end: number][]> {
  const world = new ClusterWorld(seed, false);
  const run = new WorldRun(world);
  return run.within(async () => {
    for (const node of world.nodes) node.begin();
    beginBackground(world);
    await run.pass(5_000);
    new Producers(world).begin(2_000, cutAtMs + overWithinMs + backupsMs);
    repeat(world, 'move', 2_000, () => world.planMove());
    await run.pass(cutAtMs - 5_000);
    const node = world.upNodes.find(({ control }) => !control!.isLeader && control!.session !== null)!;
    const { session } = node.control!;
    const to = new Set([node.id]);
    world.network.begin({ untilMs: Number.POSITIVE_INFINITY, from: null, to, isLogCut: true });
    await run.pass(overWithinMs);
    assert.notEqual(world.checks.model.ended.get(session!), undefined, 'its session has ended');
    const ends = world.log.offsetsAt(inputTopic, 'latest');
    await run.pass(backupsMs);
    assert.equal(world.upNodes.length, world.nodes.length);
    const { topicId } = world.log.describe(inputTopic)!;
    return ends.map((end, partition) => [world.log.committed({ topicId, partition })?.offset ?? 0, end] as const);
  });
}

for (const seed of [2, 6]) {
  test(`one node without the log holds up nobody's records for long, seed ${seed}`, async () => {
    const partitions = await committedOfEnds(seed);
    for (const [partition, [committed, end]] of partitions.entries()) {
      assert.ok(end > 0 && committed >= end, `partition ${partition} is committed at ${committed}, not at ${end}`);
    }
  });
}
