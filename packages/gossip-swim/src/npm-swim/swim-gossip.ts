import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gossip } from '@holdfast/engine';
import {
  emptyView,
  formatAddress,
  incarnationOfStart,
  isReachable,
  LocalHealth,
  type Member,
  type MemberChange,
  type MemberClaim,
  type MembershipEvent,
  type MembershipView,
  membersOf,
  type NodeMeta,
  stepMembership,
} from '@holdfast/membership';
import { assert, type Clock, type Logger, type Rng } from '@holdfast/model';
import type Swim from 'swim';
import type { SwimMemberData } from 'swim';
import { ChangeFeed } from '../change-feed.ts';
import { DatagramFramer, datagramFormats } from '../datagram.ts';
import { logChange } from '../log-change.ts';
import { LoopbackWatch } from '../loopback-watch.ts';
import { resolveHost, UdpEndpoint } from '../udp-endpoint.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { type GossipStats, zeroStats } from './gossip-stats.ts';
import { Ingress } from './ingress.ts';
import { messageTypes, parseMessages } from './messages.ts';
import { type CompiledSwimGossipOptions, compileSwimGossipOptions, type SwimGossipOptions } from './options.ts';
import { RejoinPlan } from './rejoin.ts';
import type { createSwim as CreateSwim } from './swim-core.ts';
import { swimStates } from './swim-states.ts';

export interface SwimGossipDependencies {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** What exists only between start and stop. */
interface Running {
  readonly swim: Swim;
  readonly endpoint: UdpEndpoint;
  readonly ingress: Ingress;
  readonly health: LocalHealth;
  readonly rejoin: RejoinPlan;
  readonly beat: NodeJS.Timeout;
}

/**
 * The `Gossip` port over npm `swim`: swim probes and spreads rumours; what it lacks is added here (README).
 * swim knows members by address; the view knows them by id.
 */
export class SwimGossip implements Gossip {
  readonly #options: CompiledSwimGossipOptions;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #logger: Logger;
  readonly #framer: DatagramFramer;
  readonly #feed = new ChangeFeed();
  readonly #stats: GossipStats = zeroStats();
  /** Since when swim holds a host for faulty; it keeps them for ever. */
  readonly #faultySinceMs = new Map<string, number>();
  #meta: NodeMeta;
  #view: MembershipView;
  #list: readonly Member[] = [];
  #life: 'new' | 'starting' | 'running' | 'leaving' | 'stopped' = 'new';
  #running: Running | null = null;
  #address: string | null = null;
  #loopback: LoopbackWatch | null = null;

  /** @throws GossipError GOSSIP_OPTIONS */
  constructor(options: SwimGossipOptions, { clock, rng, logger }: SwimGossipDependencies) {
    this.#options = compileSwimGossipOptions(options);
    this.#clock = clock;
    this.#rng = rng;
    this.#logger = logger;
    this.#meta = this.#options.meta;
    const { clusterName, seal, datagramBytesMax } = this.#options;
    this.#framer = new DatagramFramer(datagramFormats.npmSwim, clusterName, seal, datagramBytesMax);
    this.#view = emptyView(this.#options.id, this.#options);
  }

  get address(): string | null {
    return this.#address;
  }

  get stats(): Readonly<GossipStats> {
    return this.#stats;
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
          this.#stats.socketErrors++;
          this.#logger.debug('gossip socket error', { error: error.message });
        },
      });
      this.#address = formatAddress(host, endpoint.port);
      this.#loopback = new LoopbackWatch(advertiseHost ?? bindHost, this.#address, this.#logger);
      for (const seed of seeds) this.#loopback.look(seed);
    } catch (error) {
      this.#life = 'new';
      throw error;
    }
    // Loaded when it is used: it brings modules along that the other adapter does without.
    const { createSwim } = await import('./swim-core.ts');
    if (this.#isStopped()) return endpoint.close();
    this.#run(createSwim, endpoint, this.#address);
  }

  members(): readonly Member[] {
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
    compileSwimGossipOptions({ ...this.#options, meta });
    this.#meta = meta;
    if (this.#life === 'running') this.#tellSelf(false);
  }

  /** swim probes in turn and can't be asked to hurry. */
  reportUnreachable(): void {}

  async leave(): Promise<void> {
    if (this.#life === 'running') {
      this.#life = 'leaving';
      const { swim, ingress } = this.#running!;
      ingress.leaving = true;
      this.#tellSelf(true);
      const goodbye = [{ type: messageTypes.update, data: swim.membership.local.data() }];
      for (let i = 0; i < this.#options.leaveRepeatCount && this.#running !== null; i++) {
        for (const host of Object.keys(swim.membership.hostToMember)) swim.net.sendMessages(goodbye, host);
        await sleep(this.#options.leaveRepeatMs);
      }
    }
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#life = 'stopped';
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    clearInterval(running.beat);
    running.swim.leave();
    await running.endpoint.close();
  }

  #isStopped(): boolean {
    return this.#life === 'stopped';
  }

  #run(createSwim: typeof CreateSwim, endpoint: UdpEndpoint, address: string): void {
    const options = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const roundMs = options.intervalMs + options.pingTimeoutMs + options.pingReqTimeoutMs;
    const health = new LocalHealth(options.beatMs, options.lateMaxMs, roundMs, nowMs);
    const local = {
      host: address,
      meta: encodeEnvelope({ id: options.id, left: false, meta: this.#meta }),
      incarnation: incarnationOfStart(this.#meta.startCounter),
    };
    const swim = createSwim(options, local, this.#framer.bodyBytesMax, {
      isTrusted: () => health.isTrusted(this.#clock.monotonicMs()),
      onDistrusted: () => {
        this.#stats.verdictsDistrusted++;
      },
      send: (body, host) => {
        if (this.#running === null) return;
        this.#stats.datagramsSent++;
        endpoint.send(this.#framer.wrap(body), host);
      },
    });
    const ingress = new Ingress(swim, this.#stats, options.membersMax, () => this.#dropOldestFaulty(), nowMs);
    const rejoin = new RejoinPlan(options.seeds, options.rejoinIntervalMs, this.#rng, nowMs);
    const beat = setInterval(() => this.#onBeat(), options.beatMs);
    this.#running = { swim, endpoint, ingress, health, rejoin, beat };
    this.#life = 'running';
    swim.on('update', (data) => this.#onSwimUpdate(data));
    swim.bootstrap([], () => {});
    this.#step({ type: 'self', claim: this.#claimOf(swim.membership.local.data())! });
    this.#onBeat();
  }

  #onDatagram(bytes: Uint8Array, source: string): void {
    if (this.#running === null) return;
    this.#stats.datagramsReceived++;
    const body = this.#framer.unwrap(bytes);
    if (body === 'oversized') this.#stats.refusedOversized++;
    else if (body === 'unsealed') this.#stats.refusedUnsealed++;
    else if (body === 'foreign') this.#stats.refusedForeign++;
    else {
      const parsed = parseMessages(body);
      this.#stats.refusedMalformed += parsed?.malformedCount ?? 1;
      if (parsed !== null) this.#running.ingress.take(parsed.messages, source, this.#clock.monotonicMs());
    }
  }

  #onSeedFound(seed: string, address: string): void {
    this.#loopback?.look(address);
    this.#running?.rejoin.found(seed, address, this.#clock.monotonicMs());
  }

  #onBeat(): void {
    if (this.#running === null) return;
    const { swim, health, rejoin } = this.#running;
    const nowMs = this.#clock.monotonicMs();
    health.beat(nowMs);
    if (health.stallCount > this.#stats.stalls) {
      this.#stats.stalls = health.stallCount;
      this.#logger.debug('gossip was stalled: its verdicts are set aside for a round');
    }
    const hosts = rejoin.next(swim.membership, nowMs);
    if (hosts.length === 0) return;
    swim.membership.sync(hosts);
    this.#forgetFaulty(nowMs);
    this.#step({ type: 'tick' });
  }

  #onSwimUpdate(data: SwimMemberData): void {
    if (this.#running === null) return;
    const { membership } = this.#running.swim;
    const claim = this.#claimOf(data);
    assert(claim !== null, `swim holds a member ${data.host} whose envelope never passed the ingress`);
    if (data.host === membership.local.host) {
      this.#step({ type: 'self', claim });
      return;
    }
    if (data.state === swimStates.faulty) this.#faultySinceMs.set(data.host, this.#clock.monotonicMs());
    else this.#faultySinceMs.delete(data.host);
    this.#step({ type: 'claim', claim });
    this.#replaceFormerAt(claim);
    // Who said goodbye need not be probed, and the news goes round once more.
    if (claim.state === 'left' && data.state !== swimStates.faulty) {
      membership.updateFaulty({ ...data, state: swimStates.faulty });
    }
  }

  /** An address has one node: the one that was there under another id is gone, and swim won't say so any more. */
  #replaceFormerAt(claim: MemberClaim): void {
    if (!isReachable(claim)) return;
    for (const former of this.#list) {
      if (former.gossipAddress === claim.gossipAddress && former.id !== claim.id && isReachable(former)) {
        this.#step({ type: 'claim', claim: { ...former, state: 'dead' } });
      }
    }
  }

  /** What swim says, in the words of the view; null when the envelope can't be read. */
  #claimOf(data: SwimMemberData): MemberClaim | null {
    const envelope = decodeEnvelope(data.meta);
    if (envelope === null) return null;
    const { id, left, meta } = envelope;
    const state = left
      ? 'left'
      : data.state === swimStates.alive
        ? 'alive'
        : data.state === swimStates.suspect
          ? 'suspect'
          : 'dead';
    return { id, incarnation: data.incarnation, state, gossipAddress: data.host, meta };
  }

  /** Tells the cluster, by raising the incarnation; swim answers with an update event for this node itself. */
  #tellSelf(left: boolean): void {
    this.#running!.swim.updateMeta(encodeEnvelope({ id: this.#options.id, left, meta: this.#meta }));
  }

  #step(event: MembershipEvent): void {
    const { view, changes } = stepMembership(this.#view, event, this.#clock.monotonicMs());
    if (view === this.#view && changes.length === 0) return;
    this.#view = view;
    this.#list = membersOf(view);
    for (const change of changes) {
      if (change.kind === 'refused') this.#stats.refusedTableFull++;
      logChange(this.#logger, change);
    }
    this.#feed.publish(changes);
  }

  #forgetFaulty(nowMs: number): void {
    for (const [host, sinceMs] of this.#faultySinceMs) {
      if (nowMs - sinceMs >= this.#options.tombstoneKeepMs) this.#dropFaulty(host);
    }
  }

  /** A Map keeps the order of insertion, so its first host is faulty for longest. */
  #dropOldestFaulty(): boolean {
    const oldest = this.#faultySinceMs.keys().next();
    if (oldest.done === true) return false;
    this.#dropFaulty(oldest.value);
    return true;
  }

  #dropFaulty(host: string): void {
    this.#faultySinceMs.delete(host);
    if (this.#running !== null) delete this.#running.swim.membership.hostToFaulty[host];
  }
}
