import { type Rng, randomBelow, randomRatio } from '@holdfast/model';
import type { SwimMembership } from 'swim';
import { decodeEnvelope } from './envelope.ts';

/** While nobody is known, seeds are asked this often at least. */
const lonelyIntervalMs = 500;

/**
 * Whom to exchange full state with, and when. swim does so once, at join, and never probes the dead again: a healed cut
 * would stay two clusters, and a seed that was down at the start would not be found.
 */
export class RejoinPlan {
  readonly #seeds: readonly string[];
  readonly #intervalMs: number;
  readonly #rng: Rng;
  /** Where seeds are that are given by name. */
  readonly #found = new Map<string, string>();
  #seedTurn = 0;
  #dueMs: number;

  constructor(seeds: readonly string[], intervalMs: number, rng: Rng, nowMs: number) {
    this.#seeds = seeds;
    this.#intervalMs = intervalMs;
    this.#rng = rng;
    this.#dueMs = nowMs;
  }

  /** The name of a seed leads there: a new address is asked at once, and who is known at it is no stranger. */
  found(seed: string, address: string, nowMs: number): void {
    if (this.#found.get(seed) === address) return;
    this.#found.set(seed, address);
    this.#dueMs = nowMs;
  }

  /** The hosts to ask now; empty when it isn't time. */
  next(membership: SwimMembership, nowMs: number): string[] {
    if (nowMs < this.#dueMs) return [];
    const living = Object.keys(membership.hostToMember);
    const lonely = living.length === 0;
    const intervalMs = lonely ? Math.min(lonelyIntervalMs, this.#intervalMs) : this.#intervalMs;
    // Spread by a fifth each way, so that nodes started together don't stay in step.
    this.#dueMs = nowMs + intervalMs * (0.8 + 0.4 * randomRatio(this.#rng));

    const dead = Object.values(membership.hostToFaulty)
      .filter((member) => decodeEnvelope(member.meta)?.left === false)
      .map((member) => member.host);
    const strangers = this.#seeds.filter((seed) => {
      const host = this.#found.get(seed) ?? seed;
      return membership.hostToMember[host] === undefined && host !== membership.local.host;
    });
    const asked = lonely ? strangers : this.#oneInTurn(strangers);
    // One of the dead, in case it was only cut off; one of the living, so that a rumour that died out is told again.
    const hosts = new Set([...asked, ...this.#oneOf(dead), ...this.#oneOf(living)]);
    hosts.delete(membership.local.host);
    return [...hosts];
  }

  #oneInTurn(hosts: readonly string[]): string[] {
    return hosts.length === 0 ? [] : [hosts[this.#seedTurn++ % hosts.length]!];
  }

  #oneOf(hosts: readonly string[]): string[] {
    return hosts.length === 0 ? [] : [hosts[randomBelow(this.#rng, hosts.length)]!];
  }
}
