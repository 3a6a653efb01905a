import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRng } from '@holdfast/model';
import type { RecordLimits } from '@holdfast/processor';
import { inputTopic, outputTopic } from '@holdfast/testkit';
import { waitFor } from '../../cluster/support/wait.ts';
import { makeDisks } from '../disk/disks.ts';
import { checkHistory } from '../history/check-history.ts';
import { checkStates } from '../history/check-states.ts';
import type { OutputLine } from '../history/event.ts';
import { HistoryFile, nowUs } from '../history/history-file.ts';
import { readHistory } from '../history/read-history.ts';
import { storedUnits } from '../history/store-order.ts';
import { checkTopic, readTopic } from '../history/topic-truth.ts';
import type { ChaosNetwork } from '../network/chaos-network.ts';
import { ProxiedLinks } from '../network/proxied-links.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import type { ClusterPlan, Fire, Scenario } from './scenario.ts';
import { openEmbedded } from './services.ts';
import { defaultWorkload, Workload } from './workload.ts';

export interface RunResult {
  readonly violations: readonly string[];
  /** What every checker has seen, and the scenario's own facts. */
  readonly seen: Readonly<Record<string, number>>;
  readonly records: number;
  readonly seconds: number;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** The run's own folder: data, logs, history. */
  readonly dir: string;
  readonly network: ChaosNetwork | null;
  readonly say: (text: string) => void;
}

const defaultPlan: ClusterPlan = {
  nodes: 3,
  joiners: 0,
  partitions: 4,
  shards: 1,
  settings: {},
  env: {},
};
const settleMsDefault = 60_000;
const rssBytesMaxDefault = 700 * 2 ** 20;
const deadLetters = 'holdfast.dead-letters';
const topicViolationsMax = 10;
/** Without these nothing has been shown. */
const alwaysSeen = [
  'applied',
  'claims',
  'rowsAccepted',
  'offsetsCommitted',
  'usersCompared',
  'replayed',
  'outputs',
  'inTopics',
  'entries',
  'entriesCompared',
  'leaders',
  'votes',
  'queueLooks',
];

/**
 * One run: a cluster under load, the scenario's faults, then none; everything applied, durable and held within its time;
 * a clean stop; and then the history and the store against all invariants.
 */
export async function runScenario({ scenario, seed, dir, network, say }: RunOptions): Promise<RunResult> {
  const startMs = performance.now();
  const plan = { ...defaultPlan, ...scenario.cluster };
  const workloadPlan = { ...defaultWorkload, ...scenario.workload };
  const diskEnv = scenario.disks === undefined ? () => ({}) : makeDisks(scenario.disks, dir, join(dir, 'run'));
  const cluster = await ChaosCluster.create(
    dir,
    plan,
    network,
    scenario.services ?? openEmbedded,
    join(dir, 'pids'),
    diskEnv,
  );
  const links = scenario.proxied === true ? await ProxiedLinks.start(network!, plan.shards, seed) : null;
  const history = new HistoryFile(join(dir, 'history'), 'harness');
  const facts = new Map<string, number>();
  const tell = (text: string): void => {
    say(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
    history.write({ t: nowUs(), k: 'fault', text });
  };
  const workload = new Workload(cluster.services, workloadPlan, plan.partitions, seed, history);
  const fire: Fire = {
    seed,
    rng: new SeededRng(seed + 2),
    cluster,
    workload,
    get network(): ChaosNetwork {
      if (network === null) throw new Error('a scenario that works on the network has to need namespaces');
      return network;
    },
    get links(): ProxiedLinks {
      if (links === null) throw new Error('a scenario that works on the links has to be proxied');
      return links;
    },
    say: tell,
    saw: (name, count = 1) => void facts.set(name, (facts.get(name) ?? 0) + count),
  };
  try {
    await scenario.prepare?.(fire);
    for (const node of cluster.nodes.slice(0, plan.nodes - plan.joiners)) node.start();
    await cluster.whole();
    workload.start();
    await waitFor('records to be applied', 30_000, async () => {
      return Number((await cluster.status())?.totals.applied ?? 0) > 200 || null;
    });
    await scenario.inject(fire);
    tell('healed');
    await settle(fire, scenario.settleMs ?? settleMsDefault);
    tell('settled');
    await scenario.after?.(fire);
    const violations = cluster.down().map((id) => `${id} doesn't run, though all is healed`);
    if (scenario.nodesEnd !== true) violations.push(...cluster.ownEnds());
    violations.push(...(await stopAll(cluster, scenario.leavesUnread === true)));
    tell('stopped');
    const topics = new Map<string, readonly OutputLine[]>();
    for (const topic of [outputTopic, deadLetters]) topics.set(topic, await readTopic(cluster.services.log, topic));
    const store = await cluster.services.openStore();
    const stored = await storedUnits(store).finally(() => store.close());
    const written = readHistory(join(dir, 'history'));
    const isWhole = scenario.check !== 'states';
    const verdict = (isWhole ? checkHistory : checkStates)(written, {
      users: workload.users,
      generation: await generationOf(cluster),
      stored,
      storesBeginEmpty: scenario.storesBeginEmpty === true,
      limits: limitsOf(plan),
      rssBytesMax: scenario.rssBytesMax ?? rssBytesMaxDefault,
      deadLetters,
    });
    const own = scenario.judge?.(written);
    violations.push(...verdict.violations, ...(own?.violations ?? []));
    let inTopics = 0;
    for (const [topic, lines] of topics) {
      violations.push(...checkTopic(written, topic, lines).slice(0, topicViolationsMax));
      inTopics += lines.length;
    }
    const counts = { ...verdict.seen, inTopics, ...own?.seen };
    const seen: Readonly<Record<string, number>> = { ...counts, ...Object.fromEntries(facts) };
    for (const wanted of [...(isWhole ? alwaysSeen : ['usersCompared']), ...(scenario.mustSee ?? [])]) {
      const [name, least] = typeof wanted === 'string' ? [wanted, 1] : wanted;
      if ((seen[name] ?? 0) < least)
        violations.push(`nothing shown: ${seen[name] ?? 'no'} ${name}, ${least} are wanted`);
    }
    for (const [name, count] of facts) if (count === 0) violations.push(`nothing shown: ${name} never happened`);
    return { violations, seen, records: workload.count, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    // First the nodes: one that is stopped may hold what the workload waits for.
    await cluster.kill();
    await workload.stop().catch(() => {});
    await cluster.dispose();
    await links?.close();
  }
}

/** The limits that the nodes were given, where they aren't the usual ones. */
function limitsOf({ settings }: ClusterPlan): Partial<RecordLimits> {
  const given = settings.limits ?? {};
  const names = {
    framesInFlight: 'framesInFlightMax',
    frameRecords: 'frameRecordsMax',
    parkedRecords: 'parkedRecordsMax',
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([setting, limit]) => (setting in given ? [[limit, given[setting]]] : [])),
  );
}

/** I8: with no fault left and no more input, all is applied and durable, every user is held, and nothing waits. */
async function settle({ cluster, workload }: Fire, deadlineMs: number): Promise<void> {
  await workload.stop();
  const endMs = performance.now() + deadlineMs;
  const left = (): number => Math.max(1_000, endMs - performance.now());
  await cluster.whole(left());
  await workload.oneEach();
  const why = (): string => readFileSync(cluster.nodes[0]!.logPath, 'utf8').split('\n').slice(-4).join('\n');
  let last = '';
  try {
    await waitFor(
      'the end condition',
      left(),
      async () => {
        const { committed, ends } = await cluster.progress();
        const status = await cluster.status();
        if (status === null) return null;
        const held = status.nodes.reduce((sum, { leases }) => sum + (leases.count ?? 0), 0);
        const queued = status.nodes.reduce((sum, { queue }) => sum + (queue ?? 0), 0);
        last = `committed ${committed.join()} of ${ends.join()}, ${held} units held of ${workload.unitsCounted}, ${queued} records wait`;
        const isDone =
          committed.every((offset, i) => offset === ends[i]) && held >= workload.unitsCounted && queued === 0;
        return isDone || null;
      },
      250,
    );
  } catch (error) {
    throw new Error(`I8: not settled after ${deadlineMs} ms: ${last}; n1 says last: ${why()}`, { cause: error });
  }
}

/** All nodes drain together: they exit with 0, and leave nothing uncommitted. */
async function stopAll(cluster: ChaosCluster, leavesUnread: boolean): Promise<string[]> {
  const violations: string[] = [];
  const running = cluster.nodes.filter((node) => node.running);
  const codes = await Promise.all(running.map((node) => node.signal('SIGTERM')));
  for (const [i, code] of codes.entries())
    if (code !== 0) violations.push(`${running[i]!.id} ended its drain with code ${code}`);
  if (leavesUnread) return violations;
  const { committed, ends } = await cluster.progress();
  if (committed.some((offset, i) => offset !== ends[i]))
    violations.push(
      `P2: ${inputTopic} is committed at ${committed.join()} after a drain of all, and ends at ${ends.join()}`,
    );
  return violations;
}

async function generationOf(cluster: ChaosCluster): Promise<string> {
  const store = await cluster.services.openStore();
  return store.generationId().finally(() => store.close());
}

/** What a run left for those who look at it. */
export function writeResult(dir: string, result: RunResult | { readonly error: string }): void {
  writeFileSync(join(dir, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
}
