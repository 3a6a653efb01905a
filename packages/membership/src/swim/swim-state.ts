import { type NodeId, type Rng, randomBelow, randomRatio } from '@holdfast/model';
import { incarnationOfStart } from '../incarnation.ts';
import { isReachable, type Member, type MemberClaim, type NodeMeta } from '../member.ts';
import type { MemberChange } from '../member-change.ts';
import { emptyView, type MembershipEvent, type MembershipView, stepMembership } from '../membership-view.ts';
import { LocalHealth } from './local-health.ts';
import { checkSwimOptions, type SwimOptions, type SwimStats, zeroSwimStats } from './options.ts';
import type { News, SwimMessage, SwimPacket } from './packet.ts';
import { newsBytes, packetHeadBytes } from './packet-codec.ts';
import { ProbeRing } from './probe-ring.ts';
import { RateLimit } from './rate-limit.ts';
import { RumourQueue } from './rumours.ts';
import type { Suspicion } from './suspicion.ts';

/** What the shell carries out: datagrams to send (each may get lost), and what listeners are to be told. */
export type SwimEffect =
  | { readonly type: 'send'; readonly to: string; readonly packet: SwimPacket }
  | { readonly type: 'changed'; readonly changes: readonly MemberChange[] };

/** A probe under way. */
export interface Probe {
  readonly seq: number;
  readonly startedMs: number;
  nextPingMs: number;
  readonly relays: Set<NodeId>;
  /** Relays that answered at all. */
  readonly answered: Set<NodeId>;
}

/** A ping sent on behalf of another. */
export interface Relay {
  readonly target: NodeId;
  readonly asker: string;
  readonly askerSeq: number;
  readonly dueMs: number;
}

/** Full states asked of this node: enough for 128 nodes that start together, then 32 a second. */
const syncBurst = 128;
const syncPerSecond = 32;
const relayBurst = 256;
const relayPerSecond = 256;
/** What is true again with each datagram (a full table, two nodes of one name) is told now and then. */
const repeatsBurst = 4;
const repeatsPerSecond = 0.1;

/**
 * All that a node knows and plans, and the transitions that all rules share. The rules themselves are in `hear.ts`,
 * `probe.ts`, `sync.ts`; they change the state and put effects into the outbox, nothing else.
 */
export class SwimState {
  readonly options: SwimOptions;
  readonly stats: SwimStats = zeroSwimStats();
  readonly health: LocalHealth;
  readonly ring = new ProbeRing();
  readonly rumours: RumourQueue;
  readonly probes = new Map<NodeId, Probe>();
  readonly relays = new Map<number, Relay>();
  readonly suspicions = new Map<NodeId, Suspicion>();
  /** When a member was last heard, from its own address. */
  readonly heardMs = new Map<NodeId, number>();
  /** Where seeds are that are given by name. */
  readonly seedAddresses = new Map<string, string>();
  readonly syncLimit: RateLimit;
  readonly relayLimit: RateLimit;
  readonly #repeats: RateLimit;
  view: MembershipView;
  /** What this node says about itself. */
  self: MemberClaim;
  nextProbeMs: number;
  nextGossipMs: number;
  nextSyncMs: number;
  seedTurn = 0;
  outbox: SwimEffect[] = [];
  #seq: number;

  constructor(options: SwimOptions, gossipAddress: string, meta: NodeMeta, nowMs: number, rng: Rng) {
    this.options = checkSwimOptions(options);
    const { id, tickMs, lateMaxMs, probeTimeoutMs, probeIntervalMs } = options;
    this.health = new LocalHealth(tickMs, lateMaxMs, probeTimeoutMs, nowMs);
    this.rumours = new RumourQueue(options.rumoursMax);
    this.syncLimit = new RateLimit(syncBurst, syncPerSecond, nowMs);
    this.relayLimit = new RateLimit(relayBurst, relayPerSecond, nowMs);
    this.#repeats = new RateLimit(repeatsBurst, repeatsPerSecond, nowMs);
    this.view = emptyView(id, options);
    const incarnation = incarnationOfStart(meta.startCounter);
    this.self = { id, incarnation, state: 'alive', gossipAddress, meta };
    // Nodes that start together don't stay in step.
    this.nextProbeMs = nowMs + probeIntervalMs * randomRatio(rng);
    this.nextGossipMs = nowMs;
    this.nextSyncMs = nowMs;
    // At random, so that a datagram meant for an earlier process at this address answers no probe of this one.
    this.#seq = randomBelow(rng, 2 ** 32);
    this.step({ type: 'self', claim: this.self }, nowMs);
  }

  get isLeaving(): boolean {
    return this.self.state === 'left';
  }

  nextSeq(): number {
    return this.#seq++;
  }

  /** Others that may be there. */
  reachable(): Member[] {
    const found: Member[] = [];
    for (const member of this.view.members.values()) {
      if (isReachable(member) && member.id !== this.options.id) found.push(member);
    }
    return found;
  }

  isHeardSince(id: NodeId, sinceMs: number): boolean {
    return (this.heardMs.get(id) ?? Number.NEGATIVE_INFINITY) > sinceMs;
  }

  /** @returns whether the view is another one now */
  step(event: MembershipEvent, nowMs: number): boolean {
    const { view, changes } = stepMembership(this.view, event, nowMs);
    const isNew = view !== this.view;
    this.view = view;
    const isTold = changes.length > 0 && (isNew || this.#repeats.take(nowMs));
    for (const change of changes) if (change.kind === 'refused') this.stats.refusedTableFull++;
    if (isTold) this.outbox.push({ type: 'changed', changes });
    return isNew;
  }

  /** Says something new about this node: its incarnation rises, here and nowhere else. */
  raiseSelf(change: Partial<MemberClaim>, aboveIncarnation: number, nowMs: number): void {
    const incarnation = Math.max(this.self.incarnation, aboveIncarnation) + 1;
    this.self = { ...this.self, ...change, incarnation };
    this.step({ type: 'self', claim: this.self }, nowMs);
    this.tell(this.options.id, nowMs);
  }

  /** What is known of a member goes round. */
  tell(id: NodeId, nowMs: number): void {
    if (!this.rumours.put(this.newsOf(id, nowMs)!, nowMs)) this.stats.rumoursDropped++;
  }

  newsOf(id: NodeId, nowMs: number): News | null {
    const member = this.view.members.get(id);
    if (member === undefined) return null;
    const ageMs = isReachable(member) ? 0 : Math.max(0, nowMs - member.sinceMs);
    const accusers = member.state === 'suspect' ? (this.suspicions.get(id)?.accusers ?? []) : [];
    const news = { claim: member, ageMs, accusers };
    // What doesn't fit beside the longest of messages would never be told: then rather without the accusers.
    if (accusers.length === 0 || newsBytes(news) <= this.options.packetBytesMax / 2) return news;
    return { ...news, accusers: [] };
  }

  /** News of a member that it must hear itself, since it will want to contradict. */
  accusationOf(id: NodeId, nowMs: number): News[] {
    const state = this.view.members.get(id)?.state;
    return state === undefined || state === 'alive' ? [] : [this.newsOf(id, nowMs)!];
  }

  /** @param to a member, or an address whose owner isn't known; @param first news that must be in it */
  send(to: Member | string, message: SwimMessage, nowMs: number, first: readonly News[] = []): void {
    const { id, packetBytesMax, retransmitFactor } = this.options;
    let room = packetBytesMax - packetHeadBytes(id, message);
    const news: News[] = [];
    const except = new Set<NodeId>();
    if (typeof to !== 'string') except.add(to.id);
    for (const one of first) {
      const bytes = newsBytes(one);
      if (bytes > room) continue;
      room -= bytes;
      news.push(one);
      except.add(one.claim.id);
    }
    const sentMax = Math.ceil(retransmitFactor * Math.log10(this.view.members.size + 1));
    if (typeof to !== 'string') news.push(...this.rumours.take(room, sentMax, except, nowMs));
    if (message.type === 'news' && news.length === 0) return;
    const address = typeof to === 'string' ? to : to.gossipAddress;
    this.outbox.push({ type: 'send', to: address, packet: { from: id, message, news } });
  }
}
