import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StatusDocument } from '@holdfast/node';
import type { ChaosNetwork } from '../../test/chaos/network/chaos-network.ts';
import { Cluster, inputTopic } from '../../test/cluster/support/cluster.ts';
import type { NodeProcess } from '../../test/cluster/support/node-process.ts';
import { waitFor } from '../../test/cluster/support/wait.ts';
import { MarkedUsers } from './marked-users.ts';

const partitions = 6;
const usersPerRound = Number(process.env.HOLDFAST_BENCH_USERS ?? 300);
const profileDir = process.env.HOLDFAST_BENCH_PROFILE;
/** A victim that holds less shows nothing. */
const heldMin = 20;
const clockTicksPerSecond = 100;

export interface Counts {
  /** Records of the input, each as often as it was read. */
  readonly read: number;
  /** Records that the state of their user had already. */
  readonly duplicates: number;
}

/** CPU-seconds that a process has used, all threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
}

/** Three nodes as they come, but for the job, with a light load; who dies is started again before the next round. */
export class FailoverCluster {
  readonly cluster: Cluster;
  readonly users: MarkedUsers;
  readonly #network: ChaosNetwork | null;
  /** Of processes that are gone. */
  #cpuSpent = 0;
  #round = 0;

  private constructor(cluster: Cluster, users: MarkedUsers, network: ChaosNetwork | null) {
    this.cluster = cluster;
    this.users = users;
    this.#network = network;
  }

  /** @param network where nodes can be cut off; null: all are on loopback */
  static async start(network: ChaosNetwork | null): Promise<FailoverCluster> {
    const name = fileURLToPath(new URL('./marker-job.ts', import.meta.url));
    // Backups often, so that a round needn't wait for long until nothing is left of the one before.
    const settings = { job: { name }, backup: { interval: '2s' } };
    const cluster = await Cluster.create({ nodes: 3, partitions, settings, places: network });
    const made = new FailoverCluster(cluster, await MarkedUsers.begin(cluster, partitions), network);
    try {
      for (const node of cluster.nodes) made.startNode(node);
      await made.whole();
      return made;
    } catch (error) {
      await made.users.close();
      await cluster.dispose(true);
      throw error;
    }
  }

  startNode(node: NodeProcess): void {
    const args = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    node.start(args);
  }

  /** No packet passes between it and any other node, until `joinAll`. */
  cutOff(node: NodeProcess): void {
    this.#network!.isolate(node.id);
  }

  joinAll(): void {
    this.#network!.heal();
  }

  /** What all other nodes together have counted since they were started. */
  async countsWithout(victim: NodeProcess): Promise<Counts> {
    const others = this.cluster.nodes.filter((node) => node !== victim).map(({ id }) => id);
    const status = await waitFor('a status without the victim', 10_000, () => this.cluster.status(3_000, others));
    return { read: Number(status.totals.read), duplicates: Number(status.totals.duplicates) };
  }

  /** Records of the input from the committed offsets on: as far as they are read, each loss has them read again. */
  async notDurable(): Promise<number> {
    const { ends, committed } = await this.#progress();
    return ends.reduce((sum, end, i) => sum + end - committed[i]!, 0);
  }

  async dispose(): Promise<void> {
    // Whoever is killed leaves no profile.
    if (profileDir !== undefined) for (const node of this.cluster.nodes) await node.signal('SIGTERM');
    await this.users.close();
    await this.cluster.dispose();
  }

  /** Of all nodes since the start, those that are gone included. */
  get cpuSeconds(): number {
    const living = this.cluster.nodes.filter(({ running }) => running).map(({ pid }) => cpuSeconds(pid!));
    return living.reduce((sum, seconds) => sum + seconds, this.#cpuSpent);
  }

  /** Its process is about to be gone. */
  noteCpu(node: NodeProcess): void {
    this.#cpuSpent += cpuSeconds(node.pid!);
  }

  /** All nodes are up, vote and hold sessions. */
  whole(): Promise<StatusDocument> {
    return waitFor('the whole cluster', 60_000, async () => {
      const status = await this.cluster.status();
      if (status === null || status.cluster.leader === null) return null;
      const isWhole = status.nodes.length === 3 && status.nodes.every(({ session }) => session.id !== null);
      return isWhole && status.cluster.quorum.reachable === 3 ? status : null;
    });
  }

  /**
   * New users, each with a record that its holder has applied, such that a node that `mayDie` holds enough of them.
   * @returns that node, and all these users
   */
  async newRound(mayDie: (node: NodeProcess, leader: string) => boolean) {
    const endMs = performance.now() + 60_000;
    for (;;) {
      await this.#allDurable();
      const { leader } = (await this.whole()).cluster;
      const round = ++this.#round;
      const users = Array.from({ length: usersPerRound }, (_, i) => `r${round}u${i}`);
      this.users.forget();
      await this.#settle(users);
      const held = (node: NodeProcess): string[] => users.filter((user) => this.users.holderOf(user)?.pid === node.pid);
      const [victim] = this.cluster.nodes
        .filter((node) => mayDie(node, leader!))
        .sort((a, b) => held(b).length - held(a).length);
      if (held(victim!).length >= heldMin) return { victim: victim!, users, held: held(victim!) };
      if (performance.now() > endMs) throw new Error(`no node to kill holds ${heldMin} of ${usersPerRound} users`);
    }
  }

  /** Else each loss would read again what all rounds before have left. */
  async #allDurable(): Promise<void> {
    await waitFor('every record to be durable', 60_000, async () => (await this.notDurable()) === 0 || null);
  }

  async #progress(): Promise<{ ends: readonly number[]; committed: readonly number[] }> {
    const { log } = this.cluster;
    const { topicId } = (await log.describe(inputTopic))!;
    const ends = await log.endOffsets(inputTopic);
    const commits = await Promise.all(ends.map((_, partition) => log.committed('markers', { topicId, partition })));
    return { ends, committed: commits.map((commit) => commit?.offset ?? 0) };
  }

  async #settle(users: readonly string[]): Promise<void> {
    const number = await this.users.mark(users);
    await waitFor('new users to be held', 30_000, () => this.users.isApplied(users, number) || null, 20);
  }
}
