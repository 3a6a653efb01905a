import type { Gossip } from '@holdfast/engine';
import {
  type Member,
  type MemberChange,
  membersOf,
  type NodeMeta,
  type SwimEffect,
  type SwimEvent,
  SwimState,
  stepSwim,
  swimDefaults,
} from '@holdfast/membership';
import { assert, type NodeId, type Rng } from '@holdfast/model';
import type { NetworkTime } from '../network-time.ts';

/** Datagrams within one process: each arrives at once, unless `loses` says otherwise or nobody listens. */
export class MemoryGossipNetwork {
  readonly time: NetworkTime;
  /** May be changed at any moment: true for a datagram that is not to arrive. */
  loses: (from: string, to: string) => boolean = () => false;
  readonly #listeners = new Map<string, (event: SwimEvent) => void>();
  #port = 0;

  constructor(time: NetworkTime) {
    this.time = time;
  }

  newAddress(): string {
    return `127.0.0.1:${10_000 + ++this.#port}`;
  }

  /** False when somebody listens there. */
  listen(address: string, take: (event: SwimEvent) => void): boolean {
    if (this.#listeners.has(address)) return false;
    this.#listeners.set(address, take);
    return true;
  }

  unlisten(address: string): void {
    this.#listeners.delete(address);
  }

  send(from: string, effect: Extract<SwimEffect, { type: 'send' }>): void {
    if (this.loses(from, effect.to)) return;
    this.time.setTimer(0, () => {
      this.#listeners.get(effect.to)?.({ type: 'packet', packet: effect.packet, source: from });
    });
  }
}

export interface MemoryGossipOptions {
  readonly id: NodeId;
  readonly meta: NodeMeta;
  readonly network: MemoryGossipNetwork;
  readonly rng: Rng;
  readonly seeds?: readonly string[];
  /** Default: a new one. */
  readonly address?: string;
  readonly tune?: Partial<typeof swimDefaults>;
}

/** The `Gossip` port over the SWIM core and a network within one process. */
export class MemoryGossip implements Gossip {
  readonly #options: MemoryGossipOptions;
  readonly #listeners = new Set<(changes: readonly MemberChange[]) => void>();
  readonly #pending: (readonly MemberChange[])[] = [];
  #isDelivering = false;
  #state: SwimState | null = null;
  #life: 'new' | 'running' | 'stopped' = 'new';
  #listed: SwimState['view'] | null = null;
  #list: readonly Member[] = [];
  #cancelTick: () => void = () => {};
  address: string | null = null;

  constructor(options: MemoryGossipOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    assert(this.#life === 'new', `gossip start while ${this.#life}`);
    const { network, id, meta, seeds = [], rng, tune } = this.#options;
    const address = this.#options.address ?? network.newAddress();
    if (!network.listen(address, (event) => this.#step(event))) {
      throw Object.assign(new Error(`gossip address ${address} is in use`), { code: 'GOSSIP_PORT_IN_USE', address });
    }
    this.address = address;
    this.#life = 'running';
    const options = { ...swimDefaults, ...tune, id, seeds };
    const state = new SwimState(options, address, meta, network.time.monotonicMs(), rng);
    this.#state = state;
    this.#carryOut(state.outbox.splice(0));
    this.#step({ type: 'tick' });
    this.#planTick(options.tickMs);
  }

  members(): readonly Member[] {
    return this.#list;
  }

  onChange(listener: (changes: readonly MemberChange[]) => void): () => void {
    const own: typeof listener = (changes) => listener(changes);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  updateMeta(meta: NodeMeta): void {
    const known = this.#options.meta;
    assert(meta.uuid === known.uuid && meta.startCounter === known.startCounter, 'a node keeps uuid and start counter');
    this.#step({ type: 'meta', meta });
  }

  reportUnreachable(id: NodeId): void {
    this.#step({ type: 'evidence', id });
  }

  async leave(): Promise<void> {
    this.#step({ type: 'leave' });
    await this.stop();
  }

  async stop(): Promise<void> {
    if (this.#life === 'running') this.#options.network.unlisten(this.address!);
    this.#life = 'stopped';
    this.#cancelTick();
  }

  #planTick(tickMs: number): void {
    this.#cancelTick = this.#options.network.time.setTimer(tickMs, () => {
      this.#step({ type: 'tick' });
      if (this.#life === 'running') this.#planTick(tickMs);
    });
  }

  #step(event: SwimEvent): void {
    if (this.#life !== 'running') return;
    const { network, rng } = this.#options;
    this.#carryOut(stepSwim(this.#state!, event, network.time.monotonicMs(), rng));
  }

  #carryOut(effects: readonly SwimEffect[]): void {
    const { view } = this.#state!;
    if (this.#listed !== view) {
      this.#listed = view;
      this.#list = membersOf(view);
    }
    for (const effect of effects) {
      if (effect.type === 'send') this.#options.network.send(this.address!, effect);
      else this.#pending.push(effect.changes);
    }
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      for (const listener of [...this.#listeners]) listener(next);
    }
    this.#isDelivering = false;
  }
}
