import {
  decodePacket,
  encodePacket,
  type MemberChange,
  type NodeMeta,
  type SwimEffect,
  type SwimEvent,
  type SwimPacket,
  SwimState,
  type SwimStats,
  stepSwim,
  swimDefaults,
} from '@holdfast/membership';
import { assert, type NodeId, nodeId, type Rng, randomBelow, randomRatio, SeededRng } from '@holdfast/model';
import { Trace } from '../simulation/trace.ts';
import { EventQueue } from './event-queue.ts';

/** What the network does to each datagram; may be changed at any moment. */
export interface VirtualLinks {
  lossRatio: number;
  duplicateRatio: number;
  delayMsMin: number;
  delayMsMax: number;
}

/** What a socket's buffer holds while its process stands still: 200 kB of small datagrams. */
const inboxMax = 256;

/** One place of the cluster: an id and an address, and the process that runs there now and then. */
export interface VirtualNode {
  readonly id: NodeId;
  readonly address: string;
  state: SwimState | null;
  startCounter: number;
  /** Its data folder: another one after a wipe. */
  folder: number;
  /** The highest incarnation it ever gave itself. */
  incarnation: number;
  /** How its last process ended. */
  end: 'none' | 'crashed' | 'left';
  upSinceMs: number;
  /** Until when it doesn't run; what arrives waits. */
  stalledUntilMs: number;
  lastStallMs: number;
  inbox: (() => void)[];
}

export interface VirtualClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  /** So many of the first places are everybody's seeds. */
  readonly seedNodes?: number;
  /** Every packet through its bytes and back, and their size checked: right for tests, slow for virtual days. */
  readonly useCodec?: boolean;
  readonly tune?: Partial<typeof swimDefaults>;
  /** Keep the trace's lines. */
  readonly isTraced?: boolean;
}

/** Nodes of the shipped SWIM core on one virtual network: one seed, one history. */
export class VirtualCluster {
  readonly queue = new EventQueue();
  readonly rng: Rng;
  readonly nodes: readonly VirtualNode[];
  readonly links: VirtualLinks = { lossRatio: 0, duplicateRatio: 0, delayMsMin: 0.2, delayMsMax: 2 };
  /** Told of every change in any view. */
  onChange: (observer: VirtualNode, change: MemberChange) => void = () => {};
  datagrams = 0;
  /** Of all that happened, in order. */
  readonly trace: Trace;
  readonly #cuts = new Set<string>();
  readonly #useCodec: boolean;
  readonly #seedNodes: number;
  readonly #tune: Partial<typeof swimDefaults>;
  readonly #byAddress = new Map<string, VirtualNode>();

  constructor({ seed, nodes, seedNodes = 3, useCodec = false, tune = {}, isTraced = false }: VirtualClusterOptions) {
    this.trace = new Trace(isTraced);
    this.#seedNodes = seedNodes;
    this.rng = new SeededRng(seed);
    this.#useCodec = useCodec;
    this.#tune = tune;
    this.nodes = Array.from({ length: nodes }, (_, i) => ({
      id: nodeId(`n${i + 1}`),
      address: `10.0.${i >> 8}.${i & 255}:7401`,
      state: null,
      startCounter: 0,
      folder: 0,
      incarnation: 0,
      end: 'none' as const,
      upSinceMs: 0,
      stalledUntilMs: 0,
      lastStallMs: Number.NEGATIVE_INFINITY,
      inbox: [],
    }));
    for (const node of this.nodes) this.#byAddress.set(node.address, node);
  }

  get nowMs(): number {
    return this.queue.nowMs;
  }

  /** Do all look for it when they start? */
  isSeed(node: VirtualNode): boolean {
    return this.nodes.indexOf(node) < this.#seedNodes;
  }

  run(durationMs: number): void {
    this.queue.runUntil(this.nowMs + durationMs);
  }

  startAll(): void {
    for (const node of this.nodes) this.queue.at(this.nowMs + randomBelow(this.rng, 200), () => this.start(node));
  }

  start(node: VirtualNode): void {
    assert(node.state === null, `${node.id} runs already`);
    node.startCounter++;
    node.upSinceMs = this.nowMs;
    node.end = 'none';
    const seeds = this.nodes.slice(0, this.#seedNodes).map(({ address }) => address);
    const options = { ...swimDefaults, ...this.#tune, id: node.id, seeds };
    const state = new SwimState(options, node.address, this.#metaOf(node), this.nowMs, this.rng);
    node.state = state;
    this.#carryOut(node, state.outbox.splice(0));
    const { tickMs } = options;
    const tick = () => {
      if (node.state !== state) return;
      this.#step(node, state, { type: 'tick' });
      this.queue.at(this.nowMs + tickMs, () => this.#whenRunning(node, tick));
    };
    this.queue.at(this.nowMs + tickMs * randomRatio(this.rng), () => this.#whenRunning(node, tick));
  }

  crash(node: VirtualNode): void {
    node.state = null;
    node.inbox = [];
    node.stalledUntilMs = 0;
    node.end = 'crashed';
  }

  leave(node: VirtualNode): void {
    const { state } = node;
    for (let i = 0; i < 3 && state !== null; i++) this.#step(node, state, { type: 'leave' });
    node.state = null;
    node.end = 'left';
  }

  /** As SIGSTOP: it doesn't run for so long; its socket buffers. */
  stall(node: VirtualNode, durationMs: number): void {
    node.stalledUntilMs = Math.max(node.stalledUntilMs, this.nowMs + durationMs);
    node.lastStallMs = node.stalledUntilMs;
    this.queue.at(node.stalledUntilMs, () => this.#resume(node));
  }

  evidence(observer: VirtualNode, about: VirtualNode): void {
    if (observer.state !== null) this.#step(observer, observer.state, { type: 'evidence', id: about.id });
  }

  /** A packet that somebody with the key made up. */
  inject(node: VirtualNode, packet: SwimPacket, source: string): void {
    if (node.state !== null) this.#step(node, node.state, { type: 'packet', packet, source });
  }

  updateMeta(node: VirtualNode): void {
    if (node.state !== null) this.#step(node, node.state, { type: 'meta', meta: this.#metaOf(node) });
  }

  /** Nothing that `from` sends reaches `to`. */
  cut(from: VirtualNode, to: VirtualNode): void {
    this.#cuts.add(`${from.id} ${to.id}`);
  }

  isCut(from: VirtualNode, to: VirtualNode): boolean {
    return this.#cuts.has(`${from.id} ${to.id}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  node(id: NodeId): VirtualNode {
    return this.nodes.find((node) => node.id === id)!;
  }

  stats(): SwimStats {
    const sum: Record<string, number> = {};
    for (const { state } of this.nodes) {
      for (const [name, value] of Object.entries(state?.stats ?? {})) sum[name] = (sum[name] ?? 0) + value;
    }
    return sum as unknown as SwimStats;
  }

  note(text: string): void {
    this.trace.mix(Math.round(this.nowMs * 1_000));
    this.trace.mixText(text);
    this.trace.say(this.nowMs, () => text);
  }

  #metaOf({ id, startCounter, folder }: VirtualNode): NodeMeta {
    const uuid = `${id.slice(1).padStart(8, '0')}-0000-4000-8000-${folder.toString(16).padStart(12, '0')}`;
    const version = `0.1.${randomBelow(this.rng, 100)}`;
    return {
      uuid,
      startCounter,
      version,
      peerAddress: '10.0.0.1:7400',
      shardAddresses: ['10.0.0.1:7410', '10.0.0.1:7411'],
      httpAddress: null,
      zone: null,
    };
  }

  #whenRunning(node: VirtualNode, run: () => void): void {
    if (this.nowMs >= node.stalledUntilMs) run();
    else node.inbox.push(run);
  }

  /** Timers and the socket compete after a stall: either may come first. */
  #resume(node: VirtualNode): void {
    if (this.nowMs < node.stalledUntilMs) return;
    const waiting = node.inbox;
    node.inbox = [];
    if (randomBelow(this.rng, 2) === 0) waiting.reverse();
    for (const run of waiting) this.#whenRunning(node, run);
  }

  #step(node: VirtualNode, state: SwimState, event: SwimEvent): void {
    this.#carryOut(node, stepSwim(state, event, this.nowMs, this.rng));
    node.incarnation = Math.max(node.incarnation, state.self.incarnation);
  }

  #carryOut(node: VirtualNode, effects: readonly SwimEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'changed') for (const change of effect.changes) this.onChange(node, change);
      else this.#send(node, effect.to, effect.packet);
    }
  }

  #send(from: VirtualNode, to: string, packet: SwimPacket): void {
    const target = this.#byAddress.get(to);
    this.datagrams++;
    const carried = this.#useCodec ? this.#throughBytes(packet) : packet;
    if (target === undefined || this.isCut(from, target)) return;
    const copies = 1 + (this.#draw(this.links.duplicateRatio) ? 1 : 0);
    for (let i = 0; i < copies; i++) {
      if (this.#draw(this.links.lossRatio)) continue;
      const { delayMsMin, delayMsMax } = this.links;
      const delayMs = delayMsMin + (delayMsMax - delayMsMin) * randomRatio(this.rng);
      this.queue.at(this.nowMs + delayMs, () => this.#arrive(target, carried, from.address));
    }
  }

  #throughBytes(packet: SwimPacket): SwimPacket {
    const bytes = encodePacket(packet);
    assert(bytes.length <= swimDefaults.packetBytesMax, `packet of ${bytes.length} bytes`);
    const decoded = decodePacket(bytes);
    assert(decoded !== null, 'a packet does not come back from its bytes');
    this.note(`${packet.from} ${packet.message.type} ${bytes.length}`);
    return decoded;
  }

  #arrive(target: VirtualNode, packet: SwimPacket, source: string): void {
    const { state } = target;
    if (state === null || target.inbox.length >= inboxMax) return;
    this.#whenRunning(target, () => {
      if (target.state === state) this.#step(target, state, { type: 'packet', packet, source });
    });
  }

  #draw(ratio: number): boolean {
    return ratio > 0 && randomRatio(this.rng) < ratio;
  }
}
