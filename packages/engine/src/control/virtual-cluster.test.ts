import assert from 'node:assert/strict';
import { type NodeId, nodeId, SeededRng, silentLogger } from '@holdfast/model';
import { ControlPlane } from './control-plane.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { FakeShard, MemoryRaftStorage, MemoryStoreLife, MemoryTopics } from './memory-ports.test.ts';
import { MemoryNetwork, VirtualTime } from './virtual-network.test.ts';

export interface VirtualNode {
  readonly id: NodeId;
  readonly control: ControlPlane;
  shards: FakeShard[];
  readonly lost: string[];
  readonly fatal: unknown[];
}

const shardsPerNode = 2;

/** Control planes of a cluster on one thread, with shards that only answer. */
export class VirtualCluster {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork(this.time);
  readonly topics = new MemoryTopics();
  readonly storeLife = new MemoryStoreLife();
  readonly ids: readonly NodeId[];
  readonly up = new Map<NodeId, VirtualNode>();
  readonly #storages = new Map<NodeId, MemoryRaftStorage>();
  readonly #counters = new Map<NodeId, number>();
  readonly #more: Partial<ControlPlaneOptions>;

  constructor(more: Partial<ControlPlaneOptions> = {}, ids = ['n1', 'n2', 'n3']) {
    this.ids = ids.map(nodeId);
    this.#more = more;
  }

  storage(id: NodeId): MemoryRaftStorage {
    let storage = this.#storages.get(id);
    if (storage === undefined) {
      storage = new MemoryRaftStorage(this.time);
      this.#storages.set(id, storage);
    }
    return storage;
  }

  /** The disk of a node that is down is another one from now on. */
  replaceStorage(id: NodeId, storage: MemoryRaftStorage): void {
    this.#storages.set(id, storage);
  }

  async start(id: NodeId, more: Partial<ControlPlaneOptions> = {}): Promise<VirtualNode> {
    this.network.heal(id);
    const counter = this.nextCounter(id);
    const lost: string[] = [];
    const fatal: unknown[] = [];
    const shards = this.shards(id, counter);
    const control = await ControlPlane.start({
      nodeId: id,
      version: '0.0.0',
      voters: this.ids,
      incarnation: { uuid: `folder-of-${id}`, counter },
      shards,
      transport: this.network.transport(id),
      raftStorage: this.storage(id),
      log: this.topics.log,
      store: this.storeLife.store,
      topics: [...this.topics.topics.keys()],
      timers: this.time,
      rng: new SeededRng(counter * 1_000 + id.charCodeAt(1)),
      logger: silentLogger,
      onSessionLost: (reason) => lost.push(reason),
      onFatal: (error) => fatal.push(error),
      ...this.#more,
      ...more,
    });
    control.setPeers(new Map(this.ids.map((peer) => [peer, `memory:${peer}`])));
    const node = { id, control, shards, lost, fatal };
    this.up.set(id, node);
    return node;
  }

  /** What the node writes to its folder before a start, and before new shards. */
  nextCounter(id: NodeId): number {
    const counter = (this.#counters.get(id) ?? 0) + 1;
    this.#counters.set(id, counter);
    return counter;
  }

  shards(id: string, counter: number): FakeShard[] {
    return Array.from({ length: shardsPerNode }, (_, i) => new FakeShard(this.time, `${id}:${counter}:${i}`));
  }

  /** All nodes up, each with a session that all tables show. */
  async startAll(): Promise<VirtualNode[]> {
    for (const id of this.ids) await this.start(id);
    const isOpen = ({ control }: VirtualNode): boolean =>
      control.session !== null && control.liveSessions().length === this.ids.length;
    await this.until('all sessions open', () => this.nodes.every(isOpen));
    return this.nodes;
  }

  get nodes(): VirtualNode[] {
    return [...this.up.values()];
  }

  node(id: string): VirtualNode {
    const node = this.up.get(nodeId(id));
    assert.ok(node, `${id} is not up`);
    return node;
  }

  get leader(): VirtualNode | undefined {
    return this.nodes.find(({ control }) => control.isLeader);
  }

  async until(what: string, condition: () => boolean, limitMs = 10_000): Promise<void> {
    assert.ok(await this.time.until(condition, limitMs), `${what}: not within ${limitMs} ms`);
  }

  async settle<T>(promise: Promise<T>, limitMs = 150_000): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    promise.then(done, done);
    await this.until('settled', () => isDone, limitMs);
    return promise;
  }

  /** kill -9: nothing of the node runs or is heard any more; its disk stays. */
  async kill(node: VirtualNode): Promise<void> {
    this.network.isolate(node.id);
    this.up.delete(node.id);
    for (const shard of node.shards) shard.isEnded = true;
    // A slow disk may be at work; what it ends with is on it.
    await this.settle(node.control.close());
  }
}
