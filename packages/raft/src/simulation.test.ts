import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimCluster } from '../test/sim-cluster.ts';

/** Seeds that once found something, with what. They run first. */
const corpus: readonly { seed: number; nodeCount: number; found: string }[] = [
  {
    seed: 320,
    nodeCount: 1,
    found: 'a follower whose snapshot was too old by the time it had it was sent nothing more',
  },
  { seed: 535, nodeCount: 3, found: 'the same' },
  {
    seed: 3405,
    nodeCount: 3,
    found: 'those who know that a configuration is over have no vote, the others can’t win in it',
  },
  { seed: 10821, nodeCount: 3, found: 'one without a vote held on to a leader that was gone' },
];

const seedCount = Number(process.env.RAFT_SIM_SEEDS ?? 300);
const firstSeed = Number(process.env.RAFT_SIM_FIRST ?? 1);
const eventCount = 12_000;

function run(seed: number, nodeCount: number): SimCluster {
  try {
    const cluster = new SimCluster(seed, nodeCount);
    for (let i = 0; i < eventCount; i++) cluster.step();
    cluster.heal();
    return cluster;
  } catch (cause) {
    const replay = `RAFT_SIM_FIRST=${seed} RAFT_SIM_SEEDS=1`;
    throw new Error(`seed ${seed}, ${nodeCount} nodes: ${(cause as Error).message} (replay: ${replay})`, { cause });
  }
}

const nodeCountOf = (seed: number) => (seed % 16 === 0 ? 1 : seed % 2 === 0 ? 5 : 3);

test('simulated clusters keep the invariants under faults, and recover', () => {
  for (const { seed, nodeCount } of corpus) run(seed, nodeCount);
  const sum = { commits: 0, elections: 0, reads: 0, crashes: 0, snapshots: 0, changes: 0, joint: 0, wipes: 0 };
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const cluster = run(seed, nodeCountOf(seed));
    sum.commits += cluster.checks.commit;
    sum.elections += cluster.checks.elections;
    sum.reads += cluster.readsAnswered;
    sum.crashes += cluster.crashes;
    sum.snapshots += cluster.snapshotsInstalled;
    sum.changes += cluster.confChanges;
    sum.joint += cluster.jointChanges;
    sum.wipes += cluster.lost.length;
  }
  // A simulation in which nothing happens proves nothing.
  if (seedCount < 100) return;
  assert.ok(sum.commits > 20 * seedCount, JSON.stringify(sum));
  assert.ok(sum.elections > 3 * seedCount, JSON.stringify(sum));
  assert.ok(sum.reads > 10 * seedCount, JSON.stringify(sum));
  assert.ok(sum.crashes > 3 * seedCount, JSON.stringify(sum));
  assert.ok(sum.snapshots > seedCount / 4, JSON.stringify(sum));
  assert.ok(sum.changes > 2 * seedCount, JSON.stringify(sum));
  assert.ok(sum.joint > seedCount / 2, JSON.stringify(sum));
  assert.ok(sum.wipes > seedCount / 2, JSON.stringify(sum));
});

test('the same seed gives the same run', () => {
  for (const seed of [1, 2, 16]) {
    assert.equal(run(seed, nodeCountOf(seed)).traceHash, run(seed, nodeCountOf(seed)).traceHash);
  }
});
