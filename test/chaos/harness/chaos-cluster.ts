import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataFolder } from '@holdfast/embedded';
import type { StatusDocument, StatusNode } from '@holdfast/node';
import { inputTopic } from '@holdfast/testkit';
import type { NodeProcess } from '../../cluster/support/node-process.ts';
import { newPeers, type Peer } from '../../cluster/support/peers.ts';
import { StatusAsker } from '../../cluster/support/status-asker.ts';
import { waitFor } from '../../cluster/support/wait.ts';
import type { HookCommand } from '../history/hooks.ts';
import type { ChaosNetwork } from '../network/chaos-network.ts';
import { ChaosNode } from './chaos-node.ts';
import type { ClusterPlan } from './scenario.ts';
import type { ChaosServices, OpenServices } from './services.ts';

const jobPath = fileURLToPath(new URL('../history/ledger-job.ts', import.meta.url));
const preload = new URL('../history/preload.ts', import.meta.url).href;
const jobName = 'ledger';

/** Sessions half as long as by default, so that a round of faults takes half the time. */
export const sessionTtlMs = 6_000;

/** A node's own defaults: where no session may end, a busy machine is no reason to end one. */
export const usualSession = { ttl: '12s', renew: '3s', stop: '9s' };

const baseSettings: ClusterPlan['settings'] = {
  session: { ttl: `${sessionTtlMs}ms`, renew: '1500ms', stop: '4500ms' },
  backup: { interval: '2s' },
};

/** Real nodes on a data folder of their own, each in its own network namespace where there is a network. */
export class ChaosCluster {
  readonly dir: string;
  readonly dataDir: string;
  readonly nodes: readonly ChaosNode[];
  readonly peers: readonly Peer[];
  readonly services: ChaosServices;
  readonly #asker: StatusAsker;

  private constructor(dir: string, nodes: readonly ChaosNode[], peers: readonly Peer[], services: ChaosServices) {
    this.dir = dir;
    this.dataDir = join(dir, 'data');
    this.nodes = nodes;
    this.peers = peers;
    this.services = services;
    this.#asker = new StatusAsker(
      nodes,
      peers.map(({ address }) => address),
    );
  }

  static async create(
    dir: string,
    plan: ClusterPlan,
    network: ChaosNetwork | null,
    openServices: OpenServices,
    pidsPath: string,
    envOf: (id: string) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<ChaosCluster> {
    const dataDir = join(dir, 'data');
    const runDir = join(dir, 'run');
    const historyDir = join(dir, 'history');
    for (const path of [dataDir, runDir, historyDir]) mkdirSync(path, { recursive: true });
    const opened = openDataFolder(dataDir, Date.now());
    if (opened.code !== 'OK') throw new Error(opened.text);
    const services = await openServices(dataDir);
    await services.log.createTopic(inputTopic, plan.partitions);
    const peers = network === null ? await newPeers(plan.nodes) : network.peers;
    const founders = peers.slice(0, plan.nodes - plan.joiners);
    const keysPath = join(runDir, 'gossip.keys');
    writeFileSync(keysPath, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const nodes = peers.map((self) => {
      const { id, address, gossip } = self;
      const groups = [baseSettings, services.settings, plan.settings];
      const merged: Record<string, Record<string, unknown>> = {};
      for (const settings of groups)
        for (const [name, group] of Object.entries(settings)) merged[name] = { ...merged[name], ...group };
      const config = {
        ...merged,
        node: { id },
        cluster: { name: 'chaos', peers: founders.includes(self) ? founders : [peers[0], self] },
        data: dataDir,
        listen: { control: address, gossip, shards: network?.shardsAddress(id) ?? '127.0.0.1:0', http: 'off' },
        gossip: { keys: keysPath, ...merged.gossip },
        shards: plan.shards,
        job: { name: jobPath, input: inputTopic },
      };
      const configPath = join(runDir, `${id}.json`);
      writeFileSync(configPath, JSON.stringify(config, null, 2));
      const hooks = join(runDir, `${id}.hook`);
      const own = envOf(id);
      const env = {
        ...services.env,
        ...plan.env,
        ...own,
        CHAOS_HISTORY: historyDir,
        CHAOS_NODE: id,
        CHAOS_HOOKS: hooks,
      };
      const launch = { through: network?.through(id) ?? [], nodeArgs: ['--import', preload], env };
      return new ChaosNode(id, configPath, join(runDir, `${id}.log`), launch, pidsPath);
    });
    return new ChaosCluster(dir, nodes, peers, services);
  }

  node(id: string): NodeProcess {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  others(...ids: readonly string[]): NodeProcess[] {
    return this.nodes.filter(({ id }) => !ids.includes(id));
  }

  /** Where its configuration, its output and the like are. */
  get runDir(): string {
    return join(this.dir, 'run');
  }

  /** Its folder: identity and Raft log. */
  folderOf(id: string): string {
    return join(this.dataDir, 'nodes', id);
  }

  /** By the first node that answers, of these alone where there are some. */
  status(...by: readonly string[]): Promise<StatusDocument | null> {
    return this.#asker.status(undefined, by);
  }

  /** Waits until a status is as wished. @param by who is asked; nobody: all, in turn */
  inStatus(
    what: string,
    holds: (status: StatusDocument) => boolean,
    deadlineMs = 60_000,
    by: readonly string[] = [],
  ): Promise<StatusDocument> {
    return waitFor(what, deadlineMs, async () => {
      const status = await this.status(...by);
      return status !== null && holds(status) ? status : null;
    });
  }

  /** All running nodes have sessions, and there is a leader. */
  async whole(deadlineMs = 60_000): Promise<StatusDocument> {
    const running = this.nodes.filter((node) => node.running).map(({ id }) => id);
    const isWell = (row: StatusNode | undefined): boolean => row?.reachable === true && row.session.id !== null;
    return this.inStatus(
      `sessions of ${running.join()}`,
      ({ cluster, nodes }) =>
        cluster.leader !== null && running.every((id) => isWell(nodes.find((row) => row.id === id))),
      deadlineMs,
    );
  }

  async leader(deadlineMs = 30_000): Promise<NodeProcess> {
    const { cluster } = await this.inStatus('a leader', (status) => status.cluster.leader !== null, deadlineMs);
    return this.node(cluster.leader!);
  }

  /** The node with most changes that no backup covers, which are then at least so many. */
  async holder(dirtyMin = 20, among: (id: string) => boolean = () => true, deadlineMs = 60_000): Promise<NodeProcess> {
    return waitFor(`a holder of ${dirtyMin} dirty units`, deadlineMs, async () => {
      const rows = (await this.status())?.nodes.filter(({ id, reachable }) => reachable && among(id)) ?? [];
      const [most] = rows.sort((a, b) => dirtyOf(b) - dirtyOf(a));
      return most !== undefined && dirtyOf(most) >= dirtyMin ? this.node(most.id) : null;
    });
  }

  /** Committed and end offsets of the input, per partition. */
  async progress(): Promise<{ committed: number[]; ends: number[] }> {
    const { log } = this.services;
    const info = (await log.describe(inputTopic))!;
    const ends = await log.endOffsets(inputTopic);
    const commits = ends.map((_, partition) => log.committed(jobName, { topicId: info.topicId, partition }));
    return { committed: (await Promise.all(commits)).map((commit) => commit?.offset ?? 0), ends };
  }

  /** Has a node do something to itself. Its control thread has heard of it when this resolves. */
  async hook(id: string, command: HookCommand): Promise<void> {
    const { pid } = this.node(id);
    if (pid === undefined) throw new Error(`${id} doesn't run`);
    writeFileSync(join(this.dir, 'run', `${id}.hook`), JSON.stringify(command));
    const before = this.said(id, 'hook');
    process.kill(pid, 'SIGUSR2');
    const heard = () => (this.said(id, 'hook') > before || !this.node(id).running ? true : null);
    await waitFor(`${id} to hear ${command.kind}`, 20_000, heard, 20);
  }

  /** How often a node's log has a message, since its start. */
  said(id: string, message: string): number {
    return this.node(id).output.split(`"msg":"${message}"`).length - 1;
  }

  /** Ends of nodes that nobody asked for. */
  ownEnds(): string[] {
    return this.nodes.flatMap(({ ownEnds }) => ownEnds);
  }

  /** Nodes that were started, and don't run. */
  down(): string[] {
    return this.nodes.flatMap(({ id, pid, running }) => (pid !== undefined && !running ? [id] : []));
  }

  /** Ends every process that was started here, by pid. */
  async kill(): Promise<void> {
    for (const node of this.nodes) {
      await node.signal('SIGCONT');
      await node.signal('SIGKILL');
    }
  }

  /** When nothing needs the log any more. */
  async dispose(): Promise<void> {
    this.#asker.close();
    await this.services.dispose();
  }
}

export function dirtyOf(row: StatusNode | undefined): number {
  return row?.reachable ? row.shards.reduce((sum, { dirty }) => sum + (dirty ?? 0), 0) : 0;
}
