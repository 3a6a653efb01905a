import { compare } from '@holdfast/access-anomaly';
import { randomBelow, SeededRng } from '@holdfast/model';
import { Cluster } from './cluster.ts';
import { type Evidence, Witness } from './evidence.ts';
import { feed } from './feeder.ts';
import type { NodeProcess } from './node-process.ts';
import { pause, waitFor } from './wait.ts';

export interface FireRoundOptions {
  readonly seed: number;
  readonly records: number;
  readonly users: number;
  /** For people who watch. */
  readonly say: (text: string) => void;
}

export interface FireRoundResult {
  readonly evidence: Evidence;
  readonly missingRows: readonly string[];
  readonly records: number;
  readonly users: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly differences: readonly string[];
}

/** The session's time to live with the default settings, and the leader's margin. */
const sessionOverMs = 12_000 * 1.1 + 1_500;
const backupIntervalMs = 30_000;

/**
 * Three processes under fire while a log is fed that isn't keyed by user: the Raft leader, a holder with thousands of
 * dirty units and a node at random are killed with -9, one is drained and started again, one is stopped past its session
 * and continued; at the end a node dies whose users get no later record. Then every user is held against a recount.
 */
export async function fireRound(options: FireRoundOptions): Promise<FireRoundResult> {
  const { seed, records, users, say } = options;
  const rng = new SeededRng(seed);
  const cluster = await Cluster.create({ nodes: 3, partitions: 4 });
  const witness = new Witness(cluster);
  let failed = true;
  let faultsDone = () => {};
  const atLeastUntil = new Promise<void>((resolve) => {
    faultsDone = resolve;
  });
  let feeding: Promise<number> = Promise.resolve(0);
  try {
    for (const node of cluster.nodes) node.start();
    await healthy(cluster);
    const tail = Math.floor(records / 10);
    feeding = feed(cluster, { seed, records: records - tail, users, overMs: 60_000, atLeastUntil });
    const randomNode = () => cluster.nodes[randomBelow(rng, 3)]!;
    const kill = async (node: NodeProcess, why: string) => {
      say(`kill -9 ${node.id} (${why}), ${witness.dirtyUnits(node.id)} dirty units`);
      witness.noteUncleanEnd(node.id);
      await node.signal('SIGKILL');
    };
    const restart = async (node: NodeProcess, afterMs: number) => {
      await pause(afterMs);
      say(`start ${node.id}`);
      node.start();
      await healthy(cluster);
    };
    await pause(3_000 + randomBelow(rng, 4_000));
    const leader = await waitFor('a leader', 10_000, () => witness.last?.cluster.leader ?? null);
    await kill(cluster.node(leader), 'the leader');
    await restart(cluster.node(leader), randomBelow(rng, 2_000));

    for (let tries = 0; tries < 3 && witness.seen.refused === 0; tries++) {
      // In full flow, so that records are on their way to the node when it begins to refuse them.
      await waitFor('the cluster to catch up', 60_000, () =>
        Number(witness.last?.ingest.lagRecords ?? Number.NaN) < 1_000 ? true : null,
      );
      await pause(randomBelow(rng, 2_000));
      const drained = randomNode();
      say(`SIGTERM ${drained.id}`);
      const code = await drained.signal('SIGTERM');
      if (code !== 0) throw new Error(`${drained.id} ended a drain with code ${code}`);
      await restart(drained, randomBelow(rng, 1_000));
    }

    const holder = await waitFor('a holder with thousands of dirty units', 60_000, () => {
      const [most] = [...cluster.nodes].sort((a, b) => witness.dirtyUnits(b.id) - witness.dirtyUnits(a.id));
      return witness.dirtyUnits(most!.id) >= Math.min(2_000, users / 8) ? most! : null;
    });
    await kill(holder, 'a holder');
    // Sometimes it comes back within its session, sometimes long after.
    await restart(holder, randomBelow(rng, 2) === 0 ? randomBelow(rng, 3_000) : sessionOverMs);

    await kill(randomNode(), 'at random');
    const dead = cluster.nodes.find((node) => !node.running)!;
    await restart(dead, randomBelow(rng, 4_000));

    await stopPastSession(cluster, witness, say);
    faultsDone();
    const fed = await feeding;
    // The last records come in one go, so that a holder dies with them while nobody has more of its users to read.
    await feed(cluster, { seed: seed + 1_000, records: tail, users, overMs: 2_000 });
    say('all fed');
    await waitFor('everything to be applied', 120_000, () => (witness.last?.ingest.lagRecords === '0' ? true : null));
    const last = await waitFor('a holder with dirty units', 60_000, () => {
      return cluster.nodes.find((node) => witness.dirtyUnits(node.id) > 0) ?? null;
    });
    await kill(last, 'for good, and no record comes after');
    await cluster.waitUntilCommitted(240_000);
    await witness.stop();
    for (const node of cluster.nodes) await node.signal('SIGTERM');
    const recounted = await cluster.recounted();
    const exported = await cluster.exported();
    const { lost, duplicates, differences } = compare(exported, recounted);
    failed = lost > 0 || duplicates > 0 || differences.length > 0;
    const { seen: evidence, missingRows } = witness;
    return { evidence, missingRows, records: fed + tail, users: exported.length, lost, duplicates, differences };
  } finally {
    faultsDone();
    await feeding;
    await witness.stop();
    if (failed) say(`kept for a look: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
}

async function healthy(cluster: Cluster): Promise<void> {
  await waitFor('three nodes with sessions', 60_000, async () => {
    const status = await cluster.status();
    if (status?.cluster.leader == null) return null;
    return status.nodes.every((node) => node.reachable && node.session !== null) || null;
  });
}

/**
 * Stops a process until its session is over, and continues it. Chosen so that it is in a backup round, or that one is due
 * when it wakes: its late rows then meet the fence, unless its control thread is quicker to end them.
 */
async function stopPastSession(cluster: Cluster, witness: Witness, say: (text: string) => void): Promise<void> {
  const before = witness.seen.fenced;
  for (let tries = 0; tries < 6 && witness.seen.fenced === before; tries++) {
    const zombie = await waitFor('a node whose round will be due', 60_000, () => {
      const due = (node: NodeProcess) => {
        const ageMs = witness.backupAgeMs(node.id);
        return (
          ageMs > backupIntervalMs ||
          (ageMs > backupIntervalMs - sessionOverMs + 500 && ageMs < backupIntervalMs - 2_000)
        );
      };
      return cluster.nodes.find((node) => node.running && witness.dirtyUnits(node.id) > 0 && due(node)) ?? null;
    });
    say(`SIGSTOP ${zombie.id} for ${sessionOverMs} ms, ${witness.dirtyUnits(zombie.id)} dirty units`);
    witness.noteUncleanEnd(zombie.id);
    await zombie.signal('SIGSTOP');
    // Until others hold its users: the store then has higher epochs than its own.
    await pause(sessionOverMs + 2_000);
    say(`SIGCONT ${zombie.id}`);
    await zombie.signal('SIGCONT');
    await healthy(cluster);
    await pause(1_000);
  }
}
