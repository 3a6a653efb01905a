import { percentile } from '@holdfast/testkit';
import type { ChaosNetwork } from '../../test/chaos/network/chaos-network.ts';
import type { Figure } from '../run.ts';
import { FailoverCluster } from './failover-cluster.ts';
import { inNamespaces } from './in-namespaces.ts';
import { type Repeats, type Round, type RoundKind, roundKinds, runRound } from './rounds.ts';

const defaultRounds: Readonly<Record<RoundKind, number>> = {
  follower: 30,
  leader: 30,
  drain: 10,
  silence: 3,
  partition: 3,
};

/**
 * How long users are without a holder when a node of three is lost: real processes, default times, light load.
 * `HOLDFAST_BENCH_KINDS` (comma-separated) chooses the kinds of loss, `HOLDFAST_BENCH_ROUNDS` their number of rounds;
 * `HOLDFAST_BENCH_VERBOSE` prints each round. Partitions need network namespaces, so root, and are skipped without.
 */
export async function failover(): Promise<Figure[]> {
  const kinds = (process.env.HOLDFAST_BENCH_KINDS?.split(',') ?? roundKinds) as RoundKind[];
  const unknown = kinds.filter((kind) => !roundKinds.includes(kind));
  if (unknown.length > 0) throw new Error(`unknown kind ${unknown.join(', ')}; known: ${roundKinds.join(', ')}`);
  const onLoopback = kinds.filter((kind) => kind !== 'partition');
  const figures = onLoopback.length === 0 ? [] : await failoverOn(null, onLoopback);
  return kinds.length === onLoopback.length ? figures : [...figures, ...(await inNamespaces())];
}

export async function failoverOn(network: ChaosNetwork | null, kinds: readonly RoundKind[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const cluster = await FailoverCluster.start(network);
  try {
    for (const kind of kinds) figures.push(...(await figuresOf(cluster, kind)));
  } finally {
    await cluster.dispose();
  }
  return figures;
}

async function figuresOf(cluster: FailoverCluster, kind: RoundKind): Promise<Figure[]> {
  const count = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? defaultRounds[kind]);
  if (!Number.isInteger(count) || count < 1) throw new Error(`HOLDFAST_BENCH_ROUNDS is ${count}, expected 1 or more`);
  const cpuBefore = cluster.cpuSeconds;
  const rounds: Round[] = [];
  for (let i = 0; i < count; i++) {
    const round = await runRound(cluster, kind, i);
    rounds.push(round);
    if (process.env.HOLDFAST_BENCH_VERBOSE) {
      const { heldMs, othersMs, leaderMs, provenMs, repeats } = round;
      const max = (list: readonly number[]): number => Math.max(0, ...list);
      console.log(
        `${kind} ${i + 1}: ${heldMs.length} users held within ${max(heldMs)} ms, others ${max(othersMs)} ms, proven ${provenMs}, leader ${leaderMs}, ${JSON.stringify(repeats)}`,
      );
    }
  }
  await cluster.whole();
  const perRound = rounds.map(({ heldMs }) => Math.max(...heldMs));
  const known = (list: readonly (number | null)[]): number[] => list.filter((value) => value !== null);
  const repeated = (name: keyof Repeats): number[] => known(rounds.map(({ repeats }) => repeats?.[name] ?? null));
  return [
    { name: `${kind}/rounds`, value: rounds.length, unit: 'rounds' },
    ...spread(
      `${kind}/users-held`,
      rounds.flatMap(({ heldMs }) => heldMs),
    ),
    ...spread(`${kind}/all-users-held`, perRound),
    ...spread(
      `${kind}/other-users`,
      rounds.flatMap(({ othersMs }) => othersMs),
    ),
    ...spread(`${kind}/proven-gone`, known(rounds.map(({ provenMs }) => provenMs))),
    ...spread(`${kind}/new-leader`, kind === 'leader' ? known(rounds.map(({ leaderMs }) => leaderMs)) : []),
    ...spread(`${kind}/not-durable-at-the-loss`, repeated('notDurable'), 'records'),
    ...spread(`${kind}/read-again`, repeated('readAgain'), 'records'),
    ...spread(`${kind}/deduplicated`, repeated('deduplicated'), 'records'),
    { name: `${kind}/cpu`, value: (cluster.cpuSeconds - cpuBefore) / rounds.length, unit: 'CPU-s per round' },
  ];
}

function spread(name: string, values: readonly number[], unit = 'ms'): Figure[] {
  if (values.length === 0) return [];
  const sorted = [...values].sort((a, b) => a - b);
  return [
    { name: `${name}/p50`, value: percentile(sorted, 0.5), unit },
    { name: `${name}/p99`, value: percentile(sorted, 0.99), unit },
    { name: `${name}/max`, value: sorted.at(-1)!, unit },
  ];
}
