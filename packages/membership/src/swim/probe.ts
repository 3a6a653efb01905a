import { type NodeId, type Rng, randomRatio } from '@holdfast/model';
import type { Member } from '../member.ts';
import { shuffled } from './probe-ring.ts';
import { type Suspicion, suspicionTimeoutMs, uniteAccusers } from './suspicion.ts';
import type { Probe, SwimState } from './swim-state.ts';

/** Probes the next member in turn. */
export function probeNext(state: SwimState, nowMs: number, rng: Rng): void {
  if (nowMs < state.nextProbeMs) return;
  state.nextProbeMs = nowMs + state.options.probeIntervalMs;
  const candidates = new Set<NodeId>();
  for (const { id } of state.reachable()) if (!state.probes.has(id)) candidates.add(id);
  const id = state.ring.next(candidates, rng);
  if (id !== null) startProbe(state, id, nowMs);
}

/** Does nothing when one is under way, or when there is no such member. */
export function startProbe(state: SwimState, id: NodeId, nowMs: number): void {
  const member = state.view.members.get(id);
  if (state.probes.has(id) || member === undefined || id === state.options.id) return;
  state.stats.probes++;
  const seq = state.nextSeq();
  const nextPingMs = nowMs + state.options.pingTimeoutMs * state.health.factor;
  state.probes.set(id, { seq, startedMs: nowMs, nextPingMs, relays: new Set(), answered: new Set() });
  ping(state, member, seq, nowMs);
}

/** Second pings, relays, and verdicts. */
export function followProbes(state: SwimState, nowMs: number, rng: Rng): void {
  const { pingTimeoutMs, probeTimeoutMs } = state.options;
  const { factor } = state.health;
  for (const [id, probe] of state.probes) {
    const member = state.view.members.get(id);
    if (member === undefined) state.probes.delete(id);
    else if (nowMs - probe.startedMs >= probeTimeoutMs * factor) {
      state.probes.delete(id);
      conclude(state, member, probe, nowMs);
    } else if (nowMs >= probe.nextPingMs) {
      probe.nextPingMs = nowMs + pingTimeoutMs * factor;
      ping(state, member, probe.seq, nowMs);
      askRelays(state, member, probe, nowMs, rng);
    }
  }
}

function ping(state: SwimState, member: Member, seq: number, nowMs: number): void {
  state.send(member, { type: 'ping', seq, target: member.id }, nowMs, state.accusationOf(member.id, nowMs));
}

function askRelays(state: SwimState, { id, gossipAddress }: Member, probe: Probe, nowMs: number, rng: Rng): void {
  const { relaysMax } = state.options;
  const others = shuffled(
    state.reachable().filter((member) => member.id !== id && member.state === 'alive'),
    rng,
  );
  for (const relay of others.slice(0, relaysMax)) {
    probe.relays.add(relay.id);
    state.send(relay, { type: 'pingReq', seq: probe.seq, target: id, address: gossipAddress }, nowMs);
  }
}

function conclude(state: SwimState, member: Member, probe: Probe, nowMs: number): void {
  const { stats, health, options } = state;
  // No ack, but it spoke: alive, whatever became of the acks.
  if (state.isHeardSince(member.id, probe.startedMs)) return;
  if (!health.isTrusted(nowMs)) {
    stats.verdictsDistrusted++;
    return;
  }
  stats.probesFailed++;
  // Relays that are silent too speak against this node or its network; those that answered speak for it.
  if ([...probe.relays].some((id) => !probe.answered.has(id))) health.worsen();
  const claim = { ...member, state: 'suspect' } as const;
  if (member.state === 'alive') {
    stats.suspicions++;
    state.step({ type: 'claim', claim }, nowMs);
  }
  suspect(state, claim, [options.id], nowMs);
}

/** Begins a suspect's time to refute, or adds accusers to it; news of either goes round. */
export function suspect(state: SwimState, member: Member, accusers: readonly NodeId[], nowMs: number): void {
  const known = state.suspicions.get(member.id);
  const { id, incarnation } = member;
  if (known === undefined || known.incarnation !== incarnation) {
    state.suspicions.set(id, { incarnation, accusers, sinceMs: nowMs, nextPingMs: nowMs });
  } else {
    const united = uniteAccusers(known.accusers, accusers);
    if (united === known.accusers) return;
    state.suspicions.set(id, { ...known, accusers: united });
  }
  state.tell(id, nowMs);
}

/** Asks suspects whether they refute, and declares dead those whose time is up. */
export function followSuspicions(state: SwimState, nowMs: number, rng: Rng): void {
  const { suspicionMinMs, suspicionMaxMs } = state.options;
  for (const [id, suspicion] of state.suspicions) {
    const member = state.view.members.get(id);
    if (member?.state !== 'suspect' || member.incarnation !== suspicion.incarnation) {
      state.suspicions.delete(id);
      continue;
    }
    pingSuspect(state, member, suspicion, nowMs, rng);
    // This node counts among them in place of the suspect.
    const peerCount = state.reachable().length;
    const timeoutMs = suspicionTimeoutMs(suspicion.accusers.length, peerCount, suspicionMinMs, suspicionMaxMs);
    if (nowMs - suspicion.sinceMs < timeoutMs) continue;
    if (state.isHeardSince(id, suspicion.sinceMs)) {
      // Its refutation got lost, but it speaks: it has its full time again.
      state.stats.verdictsDistrusted++;
      state.suspicions.set(id, { ...state.suspicions.get(id)!, sinceMs: state.heardMs.get(id)! });
    } else if (state.health.isTrusted(nowMs)) {
      state.suspicions.delete(id);
      state.probes.delete(id);
      state.step({ type: 'claim', claim: { ...member, state: 'dead' } }, nowMs);
      state.tell(id, nowMs);
    }
  }
}

function pingSuspect(state: SwimState, member: Member, suspicion: Suspicion, nowMs: number, rng: Rng): void {
  if (nowMs < suspicion.nextPingMs) return;
  const { suspectPingMs, relaysMax } = state.options;
  state.suspicions.set(member.id, { ...suspicion, nextPingMs: nowMs + suspectPingMs });
  const peers = state.view.members.size;
  if (randomRatio(rng) * peers < 2 * relaysMax) ping(state, member, state.nextSeq(), nowMs);
}

/**
 * This node was late by so much: probes under way prove nothing, and what suspects could have said in the meantime was
 * not heard.
 */
export function forgiveStall(state: SwimState, lateMs: number): void {
  state.stats.stalls = state.health.stallCount;
  state.probes.clear();
  for (const [id, suspicion] of state.suspicions) {
    state.suspicions.set(id, { ...suspicion, sinceMs: suspicion.sinceMs + lateMs });
  }
}
