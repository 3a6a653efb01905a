import { crc32c, encodeUtf8, type Rng, randomBelow, randomRatio } from '@holdfast/model';
import { isReachable } from '../member.ts';
import { type MembershipView, membersOf } from '../membership-view.ts';
import type { News } from './packet.ts';
import { newsBytes, packetHeadBytes } from './packet-codec.ts';
import { shuffled } from './probe-ring.ts';
import type { SwimState } from './swim-state.ts';

/**
 * Equal for tables that hold the same claims, whatever their order; different ones collide once in 2^32. So tables that
 * agree cost one small datagram to compare.
 */
export function tableDigest(view: MembershipView): number {
  let sum = 0;
  for (const { id, incarnation, state } of view.members.values()) {
    sum = (sum + crc32c(encodeUtf8(`${incarnation} ${state} ${id}`))) >>> 0;
  }
  return sum;
}

/**
 * Compares tables: with one living member, so that news that died out is told again; with one of the dead, in case it was
 * only cut off; with a seed that isn't there. So cut-off parts merge, however long they were apart.
 */
export function syncNext(state: SwimState, nowMs: number, rng: Rng): void {
  if (nowMs < state.nextSyncMs || state.isLeaving) return;
  const { syncIntervalMs, lonelySyncMs, seeds } = state.options;
  const living = state.reachable();
  const isLonely = living.length === 0;
  const intervalMs = isLonely ? Math.min(lonelySyncMs, syncIntervalMs) : syncIntervalMs;
  state.nextSyncMs = nowMs + intervalMs * (0.8 + 0.4 * randomRatio(rng));
  state.step({ type: 'tick' }, nowMs);
  for (const id of state.heardMs.keys()) if (!state.view.members.has(id)) state.heardMs.delete(id);

  const known = new Set(living.map(({ gossipAddress }) => gossipAddress));
  const dead = membersOf(state.view).filter((member) => member.state === 'dead');
  const strangers = seeds.filter((seed) => {
    const address = state.seedAddresses.get(seed) ?? seed;
    return !known.has(address) && address !== state.self.gossipAddress;
  });
  const addresses = new Set(isLonely ? strangers : oneInTurn(state, strangers));
  for (const list of [living, dead]) {
    if (list.length > 0) addresses.add(list[randomBelow(rng, list.length)]!.gossipAddress);
  }
  const self = state.newsOf(state.options.id, nowMs)!;
  for (const address of addresses) pull(state, address, false, nowMs, [self, ...deadAt(state, address, nowMs)]);
}

/** A new address of a seed is asked at once, and who is known at it is no stranger, whatever its name. */
export function seedFound(state: SwimState, seed: string, address: string, nowMs: number): void {
  if (!state.options.seeds.includes(seed) || state.seedAddresses.get(seed) === address) return;
  state.seedAddresses.set(seed, address);
  state.nextSyncMs = nowMs;
}

function oneInTurn(state: SwimState, seeds: readonly string[]): string[] {
  return seeds.length === 0 ? [] : [seeds[state.seedTurn++ % seeds.length]!];
}

/** The dead are told that they are thought so: one that isn't refutes it. */
function deadAt(state: SwimState, asked: string, nowMs: number): News[] {
  const address = state.seedAddresses.get(asked) ?? asked;
  for (const { id, gossipAddress } of state.view.members.values()) {
    if (gossipAddress === address) return state.accusationOf(id, nowMs);
  }
  return [];
}

function pull(state: SwimState, address: string, back: boolean, nowMs: number, first: readonly News[]): void {
  state.send(address, { type: 'pull', digest: tableDigest(state.view), back }, nowMs, first);
}

/**
 * Another compares its table with this one. If they differ it gets this one, in as many datagrams as that takes, and is
 * asked for its own. Claims merge one by one, in any order: what gets lost is made up for by the next comparison.
 */
export function answerPull(state: SwimState, digest: number, back: boolean, source: string, nowMs: number): void {
  if (digest === tableDigest(state.view)) return;
  if (!state.syncLimit.take(nowMs)) {
    state.stats.refusedRate++;
    return;
  }
  sendTable(state, source, nowMs);
  if (!back) pull(state, source, true, nowMs, []);
}

function sendTable(state: SwimState, to: string, nowMs: number): void {
  const { id, packetBytesMax } = state.options;
  const roomMax = packetBytesMax - packetHeadBytes(id, { type: 'news' });
  let chunk: News[] = [];
  let room = roomMax;
  const flush = () => {
    if (chunk.length > 0) state.send(to, { type: 'news' }, nowMs, chunk);
    chunk = [];
    room = roomMax;
  };
  for (const member of state.view.members.keys()) {
    const news = state.newsOf(member, nowMs)!;
    const bytes = newsBytes(news);
    if (bytes > room) flush();
    chunk.push(news);
    room -= bytes;
  }
  flush();
}

/** Tells news to a few, without waiting for a probe to carry it. */
export function gossipNext(state: SwimState, nowMs: number, rng: Rng): void {
  if (nowMs < state.nextGossipMs || state.rumours.count === 0) return;
  const { gossipIntervalMs, gossipFanout } = state.options;
  state.nextGossipMs = nowMs + gossipIntervalMs;
  for (const member of shuffled(state.reachable(), rng).slice(0, gossipFanout))
    state.send(member, { type: 'news' }, nowMs);
}

/** Says goodbye to everybody; the shell calls it a few times, since nothing answers. */
export function sayGoodbye(state: SwimState, nowMs: number): void {
  const self = state.newsOf(state.options.id, nowMs)!;
  for (const member of state.view.members.values()) {
    if (isReachable(member)) state.send(member.gossipAddress, { type: 'news' }, nowMs, [self]);
  }
}
