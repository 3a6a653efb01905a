import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gossip } from '@holdfast/engine';
import {
  decodePacket,
  encodePacket,
  formatAddress,
  type Member,
  type MemberChange,
  type MembershipView,
  membersOf,
  type NodeMeta,
  type SwimEffect,
  type SwimEvent,
  SwimState,
  stepSwim,
  zeroSwimStats,
} from '@holdfast/membership';
import { assert, type Clock, type Logger, type NodeId, type Rng } from '@holdfast/model';
import { ChangeFeed } from '../change-feed.ts';
import { DatagramFramer, datagramFormats } from '../datagram.ts';
import { logChange } from '../log-change.ts';
import { LoopbackWatch } from '../loopback-watch.ts';
import { resolveHost, UdpEndpoint } from '../udp-endpoint.ts';
import { type LifeguardStats, zeroDatagramStats } from './lifeguard-stats.ts';
import {
  type CompiledLifeguardGossipOptions,
  compileLifeguardGossipOptions,
  type LifeguardGossipOptions,
} from './options.ts';

export interface LifeguardGossipDependencies {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

interface Running {
  readonly state: SwimState;
  readonly endpoint: UdpEndpoint;
  readonly ticks: NodeJS.Timeout;
}

/**
 * The `Gossip` port over the SWIM core of `@holdfast/membership`: this class has the socket and the timer, the core has
 * the rules.
 */
export class LifeguardGossip implements Gossip {
  readonly #options: CompiledLifeguardGossipOptions;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #logger: Logger;
  readonly #framer: DatagramFramer;
  readonly #feed = new ChangeFeed();
  readonly #datagrams = zeroDatagramStats();
  #meta: NodeMeta;
  #listed: MembershipView | null = null;
  #list: readonly Member[] = [];
  #life: 'new' | 'starting' | 'running' | 'stopped' = 'new';
  #running: Running | null = null;
  #state: SwimState | null = null;
  #address: string | null = null;
  #loopback: LoopbackWatch | null = null;

  /** @throws GossipError GOSSIP_OPTIONS */
  constructor(options: LifeguardGossipOptions, { clock, rng, logger }: LifeguardGossipDependencies) {
    this.#options = compileLifeguardGossipOptions(options);
    this.#clock = clock;
    this.#rng = rng;
    this.#logger = logger;
    this.#meta = this.#options.meta;
    const { clusterName, seal, datagramBytesMax } = this.#options;
    this.#framer = new DatagramFramer(datagramFormats.lifeguard, clusterName, seal, datagramBytesMax);
  }

  get address(): string | null {
    return this.#address;
  }

  get stats(): Readonly<LifeguardStats> {
    return { ...this.#datagrams, ...(this.#state?.stats ?? zeroSwimStats()) };
  }

  async start(): Promise<void> {
    assert(this.#life === 'new', `gossip start while ${this.#life}`);
    this.#life = 'starting';
    const { bindHost, port, advertiseHost, seeds } = this.#options;
    let endpoint: UdpEndpoint;
    try {
      const host = await resolveHost(advertiseHost ?? bindHost, isIPv6(bindHost) ? 6 : 4);
      endpoint = await UdpEndpoint.bind(bindHost, port, seeds, {
        onDatagram: (bytes, source) => this.#onDatagram(bytes, source),
        onSeedFound: (seed, address) => this.#onSeedFound(seed, address),
        onError: (error) => {
          this.#datagrams.socketErrors++;
          this.#logger.debug('gossip socket error', { error: error.message });
        },
      });
      this.#address = formatAddress(host, endpoint.port);
      this.#loopback = new LoopbackWatch(advertiseHost ?? bindHost, this.#address, this.#logger);
      for (const seed of seeds) this.#loopback.look(seed);
    } catch (error) {
      if (!this.#isStopped()) this.#life = 'new';
      throw error;
    }
    if (this.#isStopped()) return endpoint.close();
    this.#run(endpoint, this.#address);
  }

  members(): readonly Member[] {
    const view = this.#state?.view ?? null;
    if (view !== this.#listed && view !== null) {
      this.#listed = view;
      this.#list = membersOf(view);
    }
    return this.#list;
  }

  onChange(listener: (changes: readonly MemberChange[]) => void): () => void {
    return this.#feed.add(listener);
  }

  updateMeta(meta: NodeMeta): void {
    assert(
      meta.uuid === this.#meta.uuid && meta.startCounter === this.#meta.startCounter,
      'a running node can change neither its uuid nor its start counter',
    );
    compileLifeguardGossipOptions({ ...this.#options, meta });
    this.#meta = meta;
    if (this.#life === 'running') this.#step({ type: 'meta', meta });
  }

  reportUnreachable(id: NodeId): void {
    this.#step({ type: 'evidence', id });
  }

  async leave(): Promise<void> {
    const { leaveRepeatCount, leaveRepeatMs } = this.#options;
    for (let i = 0; i < leaveRepeatCount && this.#running !== null; i++) {
      this.#step({ type: 'leave' });
      await sleep(leaveRepeatMs);
    }
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    clearInterval(running.ticks);
    await running.endpoint.close();
  }

  #isStopped(): boolean {
    return this.#life === 'stopped';
  }

  #run(endpoint: UdpEndpoint, address: string): void {
    const options = { ...this.#options, packetBytesMax: this.#framer.bodyBytesMax };
    const state = new SwimState(options, address, this.#meta, this.#clock.monotonicMs(), this.#rng);
    this.#state = state;
    const ticks = setInterval(() => this.#step({ type: 'tick' }), options.tickMs);
    this.#running = { state, endpoint, ticks };
    this.#life = 'running';
    this.#carryOut(state.outbox.splice(0));
    // The first look for seeds doesn't wait for a tick.
    this.#step({ type: 'tick' });
  }

  #onDatagram(bytes: Uint8Array, source: string): void {
    const stats = this.#datagrams;
    stats.datagramsReceived++;
    const body = this.#framer.unwrap(bytes);
    if (body === 'oversized') stats.refusedOversized++;
    else if (body === 'unsealed') stats.refusedUnsealed++;
    else if (body === 'foreign') stats.refusedForeign++;
    else {
      const packet = decodePacket(body);
      if (packet === null) stats.refusedMalformed++;
      else this.#step({ type: 'packet', packet, source });
    }
  }

  #onSeedFound(seed: string, address: string): void {
    this.#loopback?.look(address);
    this.#step({ type: 'seedFound', seed, address });
  }

  #step(event: SwimEvent): void {
    if (this.#running === null) return;
    this.#carryOut(stepSwim(this.#running.state, event, this.#clock.monotonicMs(), this.#rng));
  }

  /** Datagrams first: what a listener causes comes after what it was told. */
  #carryOut(effects: readonly SwimEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'changed' || this.#running === null) continue;
      this.#datagrams.datagramsSent++;
      this.#running.endpoint.send(this.#framer.wrap(encodePacket(effect.packet)), effect.to);
    }
    for (const effect of effects) {
      if (effect.type !== 'changed') continue;
      for (const change of effect.changes) logChange(this.#logger, change);
      this.#feed.publish(effect.changes);
    }
  }
}
