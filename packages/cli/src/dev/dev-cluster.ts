import type { StatusDocument } from '@holdfast/node';
import { ClusterClient } from '../status/fetch-status.ts';
import { type ChildEvents, ChildNode } from './child-node.ts';
import { type DevNode, drainDeadlineMs } from './node-files.ts';

/** The drain's own deadline and some time to go. */
const stopDeadlineMs = drainDeadlineMs + 10_000;
const askTimeoutMs = 2_000;

/** The node processes of a dev cluster. */
export class DevCluster {
  readonly #children: readonly ChildNode[];
  readonly #addresses: readonly string[];
  #client: ClusterClient;
  #stopped: Promise<void> | null = null;

  constructor(
    nodes: readonly DevNode[],
    env: Readonly<Record<string, string | undefined>>,
    events: Omit<ChildEvents, 'over'> & { readonly allOver: () => void },
  ) {
    const over = () => {
      if (this.#children.every((child) => child.over)) events.allOver();
    };
    this.#children = nodes.map((node) => new ChildNode(node, env, { ...events, over }));
    this.#addresses = nodes.map(({ address }) => address);
    this.#client = new ClusterClient(this.#addresses, askTimeoutMs, null);
  }

  /** Starts all nodes; again, after a stop. */
  start(): void {
    if (this.#stopped !== null) this.#client = new ClusterClient(this.#addresses, askTimeoutMs, null);
    this.#stopped = null;
    for (const child of this.#children) child.start();
  }

  /** Null while no node answers. */
  async status(): Promise<StatusDocument | null> {
    const status = await this.#client.statusIfAnswered();
    for (const child of this.#children) {
      if (status?.nodes.some(({ id, reachable }) => id === child.node.id && reachable) === true) child.ready();
    }
    return status;
  }

  get restarts(): number {
    return this.#children.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** Drains all nodes; resolves when the last one is gone. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#children.map((child) => child.stop(stopDeadlineMs))).then(() =>
      this.#client.close(),
    );
    return this.#stopped;
  }

  kill(): void {
    for (const child of this.#children) child.kill();
  }
}
