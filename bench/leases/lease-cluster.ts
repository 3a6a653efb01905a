import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../test/cluster/support/wait.ts';
import type { LeaseNodeSetup, NodeState, Reply, Request } from './bench-messages.ts';

const ids = ['n1', 'n2', 'n3'];
const nodeEntry = new URL('./lease-node.ts', import.meta.url);

/** One process, over its restarts. */
export class LeaseNode {
  readonly id: string;
  readonly #dir: string;
  readonly #settings: LeaseClusterSettings;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #child: ChildProcess | null = null;
  #counter = 0;
  #nextRequest = 1;
  address = '';

  constructor(id: string, dir: string, settings: LeaseClusterSettings) {
    this.id = id;
    this.#dir = dir;
    this.#settings = settings;
  }

  get isUp(): boolean {
    return this.#child !== null;
  }

  async start(): Promise<void> {
    const setup: LeaseNodeSetup = {
      nodeId: this.id,
      voters: ids,
      dir: join(this.#dir, this.id),
      counter: ++this.#counter,
      sessionTtlMs: this.#settings.sessionTtlMs,
      snapshotEntries: this.#settings.snapshotEntries,
      unitsMax: this.#settings.unitsMax ?? null,
    };
    const { profileDir } = this.#settings;
    const profile = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const child = fork(nodeEntry, [JSON.stringify(setup)], {
      execArgv: ['--conditions=source', ...profile],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (message: Reply) => this.#settle(message));
    child.on('exit', () => {
      if (this.#child === child) this.#child = null;
      for (const { reject } of this.#waiting.values()) reject(new Error(`${this.id} has ended`));
      this.#waiting.clear();
    });
    const [first] = (await once(child, 'message')) as [{ address: string }];
    this.address = first.address;
  }

  request<T>(method: string, args: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      const request: Request = { id: this.#nextRequest++, method, args };
      this.#waiting.set(request.id, { resolve: resolve as (result: unknown) => void, reject });
      if (this.#child === null) reject(new Error(`${this.id} is down`));
      else this.#child.send(request);
    });
    // Whoever waits for it hears of a failure; that nobody does yet is no reason to end without cleaning up.
    answer.catch(() => {});
    return answer;
  }

  state(): Promise<NodeState> {
    return this.request<NodeState>('state');
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const exited = once(child, 'exit');
    await this.request('end');
    await exited;
  }

  #settle({ id, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}

export interface LeaseClusterSettings {
  readonly sessionTtlMs: number;
  readonly snapshotEntries: number;
  readonly unitsMax?: number;
  /** Where each process leaves a CPU profile when it ends in order. */
  readonly profileDir: string | null;
}

/** Three processes with control planes, each with its log in a folder of its own. */
export class LeaseCluster {
  readonly nodes: readonly LeaseNode[];
  readonly #dir: string;

  private constructor(dir: string, settings: LeaseClusterSettings) {
    this.#dir = dir;
    this.nodes = ids.map((id) => new LeaseNode(id, dir, settings));
  }

  static async start(settings: LeaseClusterSettings): Promise<LeaseCluster> {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-leases-'));
    mkdirSync(dir, { recursive: true });
    const cluster = new LeaseCluster(dir, settings);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await cluster.introduce();
    await cluster.settled(ids.length);
    return cluster;
  }

  get up(): LeaseNode[] {
    return this.nodes.filter((node) => node.isUp);
  }

  /** Tells everybody where everybody listens. */
  async introduce(): Promise<void> {
    const addresses = Object.fromEntries(this.nodes.map(({ id, address }) => [id, address]));
    await Promise.all(this.up.map((node) => node.request('setPeers', addresses)));
  }

  /** All that are up have a session that all of them see. */
  async settled(sessions: number): Promise<void> {
    await waitFor('sessions', 30_000, async () => {
      const states = await Promise.all(this.up.map((node) => node.state()));
      return states.every((state) => state.session > 0 && state.sessions.length === sessions) || null;
    });
  }

  /** A node that leads and can decide; polled closely, since its coming is measured. */
  leader(exceptId = ''): Promise<LeaseNode> {
    const find = async (): Promise<LeaseNode | null> => {
      for (const node of this.up) if (node.id !== exceptId && (await node.state()).isLeader) return node;
      return null;
    };
    return waitFor('a leader', 30_000, find, 5);
  }

  async follower(): Promise<LeaseNode> {
    const leader = await this.leader();
    return this.up.find((node) => node !== leader)!;
  }

  /** Every node has applied what the furthest has. */
  async caughtUp(): Promise<void> {
    const target = Math.max(...(await Promise.all(this.up.map((node) => node.state()))).map((s) => s.tableIndex));
    await waitFor('tables that caught up', 30_000, async () => {
      const states = await Promise.all(this.up.map((node) => node.state()));
      return states.every((state) => state.tableIndex >= target) || null;
    });
  }

  async dispose(): Promise<void> {
    await Promise.all(this.up.map((node) => node.end()));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
