import { errorText, InvariantError, type NodeId } from '@holdfast/model';
import { PeerCallError, type PeerTransport } from '../ports/peer-transport.ts';
import { delay, type Timers, within } from '../ports/timers.ts';
import { type CallMethod, decodeJson, type LeaderReply } from './calls.ts';
import { checkedReply } from './reply-checks.ts';

/** Hints followed within one try: more means that the cluster has no leader just now. */
export const leaderHopsMax = 3;
export const leaderBackoffMsMin = 50;
export const leaderBackoffMsMax = 1_000;
/** Between the tries of `askOnTheMove`. */
export const moveBackoffMsMin = 20;
export const moveBackoffMsMax = 100;

export interface LeaderCallsOptions {
  readonly self: NodeId;
  /** The leader as this node's Raft member knows it. */
  readonly leader: () => NodeId | null;
  /** Other nodes that may know more. */
  readonly peers: () => readonly NodeId[];
  /** Answers a call on this node, as if it had come from itself. */
  readonly local: (method: CallMethod, body: Uint8Array) => Promise<Uint8Array>;
  readonly transport: PeerTransport;
  readonly timers: Timers;
}

/**
 * Finds the leader and asks it. An unknown leader is looked for at the peers, one after the other, and so is another one
 * than the one that has not answered: this node, too, is taken for the leader while its disk hangs, by itself alone.
 */
export class LeaderCalls {
  readonly #options: LeaderCallsOptions;
  #nextPeer = 0;
  /** Whoever did not answer the last call that it was sent. */
  #silent: NodeId | null = null;

  constructor(options: LeaderCallsOptions) {
    this.#options = options;
  }

  /** One try, within `timeoutMs`. A peer that can't be reached is a RETRY: whether it acted is then unknown. */
  async once<T = object>(method: CallMethod, body: Uint8Array, timeoutMs: number): Promise<LeaderReply<T>> {
    const { timers } = this.#options;
    const endMs = timers.monotonicMs() + timeoutMs;
    let to = this.#first();
    const asked = new Set<NodeId>();
    for (let hop = 0; hop < leaderHopsMax && to !== null; hop++) {
      const leftMs = endMs - timers.monotonicMs();
      if (leftMs <= 0) break;
      let reply: LeaderReply<T>;
      try {
        reply = checkedReply<T>(method, decodeJson(await this.#call(to, method, body, leftMs)));
        if (this.#silent === to) this.#silent = null;
      } catch (error) {
        if (error instanceof InvariantError) throw error;
        // Unreachable, too late, stopping, or an answer of another version: no reason to end this node.
        this.#silent = to;
        const isSilent = error instanceof PeerCallError && error.code === 'DEADLINE';
        return { code: 'RETRY', text: `${to}: ${errorText(error)}`, ...(isSilent ? { unanswered: true } : {}) };
      }
      if (reply.code !== 'NOT_LEADER') return reply;
      asked.add(to);
      const next: NodeId | null = reply.leader ?? this.#options.leader() ?? this.#somePeer();
      to = next !== null && asked.has(next) ? null : next;
    }
    return { code: 'NOT_LEADER', leader: null };
  }

  /**
   * Tries until the leader has said OK or REFUSED, `totalMs` are over, or `stopped` says so; then gives the last answer.
   * `tryMs` bounds each try.
   */
  ask<T = object>(
    method: CallMethod,
    body: Uint8Array,
    limits: { readonly totalMs: number; readonly tryMs: number; readonly stopped?: () => boolean },
  ): Promise<LeaderReply<T>> {
    const { totalMs, tryMs, stopped = () => false } = limits;
    const once = (leftMs: number) => this.once<T>(method, body, Math.min(tryMs, Math.max(leftMs, 1)));
    return this.#until(once, totalMs, stopped, leaderBackoffMsMin, leaderBackoffMsMax);
  }

  /**
   * For what the asker repeats by itself after `repeatMs`: tries again meanwhile, so that a leadership that moves costs the
   * time that it takes and not the asker's patience. A try that is under way is not cut short: the leader may be busy.
   */
  askOnTheMove<T = object>(
    method: CallMethod,
    body: Uint8Array,
    limits: { readonly repeatMs: number; readonly tryMs: number; readonly stopped: () => boolean },
  ): Promise<LeaderReply<T>> {
    const { repeatMs, tryMs, stopped } = limits;
    const once = () => this.once<T>(method, body, tryMs);
    return this.#until(once, repeatMs, stopped, moveBackoffMsMin, moveBackoffMsMax);
  }

  async #until<T>(
    once: (leftMs: number) => Promise<LeaderReply<T>>,
    totalMs: number,
    stopped: () => boolean,
    backoffMsMin: number,
    backoffMsMax: number,
  ): Promise<LeaderReply<T>> {
    const { timers } = this.#options;
    const endMs = timers.monotonicMs() + totalMs;
    for (let backoffMs = backoffMsMin; ; backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
      const reply = await once(endMs - timers.monotonicMs());
      if (reply.code === 'OK' || reply.code === 'REFUSED') return reply;
      if (stopped() || timers.monotonicMs() + backoffMs >= endMs) return reply;
      await delay(timers, backoffMs);
      if (stopped()) return reply;
    }
  }

  /** Nodes of which something is told. */
  get peers(): readonly NodeId[] {
    return this.#options.peers();
  }

  async #call(to: NodeId, method: CallMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { self, timers, transport, local } = this.#options;
    if (to !== self) return transport.call(to, method, body, timeoutMs);
    const answer = await within(timers, timeoutMs, local(method, body));
    if (answer === 'late') throw new PeerCallError('DEADLINE', `no answer of its own within ${timeoutMs} ms`);
    return answer;
  }

  #first(): NodeId | null {
    const leader = this.#options.leader();
    return leader === null || leader === this.#silent ? (this.#somePeer(leader) ?? leader) : leader;
  }

  #somePeer(butNot: NodeId | null = null): NodeId | null {
    const peers = this.#options.peers().filter((peer) => peer !== butNot);
    return peers.length === 0 ? null : peers[this.#nextPeer++ % peers.length]!;
  }
}
