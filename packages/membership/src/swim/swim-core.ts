import type { NodeId, Rng } from '@holdfast/model';
import { isReachable, type NodeMeta } from '../member.ts';
import { hear } from './hear.ts';
import type { SwimMessage, SwimPacket } from './packet.ts';
import { followProbes, followSuspicions, forgiveStall, probeNext, startProbe } from './probe.ts';
import { followRelays, relay, takeAck, takeRelayAnswer } from './relay.ts';
import type { SwimEffect, SwimState } from './swim-state.ts';
import { answerPull, gossipNext, sayGoodbye, seedFound, syncNext } from './sync.ts';

/**
 * - `tick`: every `tickMs`; when it comes late, this node was.
 * - `packet`: a datagram, authenticated and decoded; `source` is the address it came from.
 * - `meta`: the node has something new to say of itself.
 * - `evidence`: a connection to this member was refused or broke. It is probed at once; a verdict needs its probe still.
 * - `seedFound`: the name of a seed leads to this address, as far as is known now.
 * - `leave`: says goodbye; may come several times.
 */
export type SwimEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'packet'; readonly packet: SwimPacket; readonly source: string }
  | { readonly type: 'meta'; readonly meta: NodeMeta }
  | { readonly type: 'evidence'; readonly id: NodeId }
  | { readonly type: 'seedFound'; readonly seed: string; readonly address: string }
  | { readonly type: 'leave' };

/**
 * SWIM with Lifeguard's additions, as one step: changes the state, returns what to do. No clock, chance, timer or socket of
 * its own, so a virtual day takes seconds.
 * @param nowMs monotonic
 * Source: Das, Gupta, Motivala: SWIM (2002); Dadgar, Phillips, Currey: Lifeguard (2018)
 */
export function stepSwim(state: SwimState, event: SwimEvent, nowMs: number, rng: Rng): readonly SwimEffect[] {
  switch (event.type) {
    case 'tick':
      onTick(state, nowMs, rng);
      break;
    case 'packet':
      onPacket(state, event.packet, event.source, nowMs, rng);
      break;
    case 'meta':
      state.raiseSelf({ meta: event.meta }, 0, nowMs);
      break;
    case 'evidence':
      if (!state.isLeaving) startProbe(state, event.id, nowMs);
      break;
    case 'seedFound':
      seedFound(state, event.seed, event.address, nowMs);
      break;
    case 'leave':
      if (!state.isLeaving) state.raiseSelf({ state: 'left' }, 0, nowMs);
      sayGoodbye(state, nowMs);
      break;
  }
  const effects = state.outbox;
  if (effects.length > 0) state.outbox = [];
  return effects;
}

function onTick(state: SwimState, nowMs: number, rng: Rng): void {
  const lateMs = state.health.beat(nowMs);
  if (lateMs > 0) forgiveStall(state, lateMs);
  if (!state.isLeaving) {
    if (state.probes.size > 0) followProbes(state, nowMs, rng);
    if (state.suspicions.size > 0) followSuspicions(state, nowMs, rng);
    probeNext(state, nowMs, rng);
    syncNext(state, nowMs, rng);
  }
  if (state.relays.size > 0) followRelays(state, nowMs);
  gossipNext(state, nowMs, rng);
}

function onPacket(state: SwimState, packet: SwimPacket, source: string, nowMs: number, rng: Rng): void {
  const { from, message, news } = packet;
  const before = state.self.incarnation;
  // News first: the answer then holds the refutation of what the asker believed.
  for (const one of news) hear(state, one, nowMs, rng);
  const sender = state.view.members.get(from);
  const isMember = sender !== undefined && from !== state.options.id && sender.gossipAddress === source;
  if (isMember) state.heardMs.set(from, nowMs);
  onMessage(state, from, message, source, nowMs);
  const isRefuted = state.self.incarnation > before;
  // The accuser hears it at once; an ack has carried it already, if the accuser is known.
  if (isRefuted && (message.type !== 'ping' || !isMember || !isReachable(sender))) {
    state.send(source, { type: 'news' }, nowMs, [state.newsOf(state.options.id, nowMs)!]);
  }
}

function onMessage(state: SwimState, from: NodeId, message: SwimMessage, source: string, nowMs: number): void {
  switch (message.type) {
    case 'ping':
      // Meant for another node, that was at this address before.
      if (message.target === state.options.id) acknowledge(state, from, message.seq, source, nowMs);
      break;
    case 'ack':
      takeAck(state, from, message.seq, nowMs);
      break;
    case 'relayed':
    case 'nack':
      takeRelayAnswer(state, from, message.seq, message.type === 'relayed');
      break;
    case 'pingReq':
      relay(state, message, source, nowMs);
      break;
    case 'pull':
      answerPull(state, message.digest, message.back, source, nowMs);
      break;
    case 'news':
      break;
  }
}

/** A stranger, or a forged source, gets an answer no larger than its question. */
function acknowledge(state: SwimState, from: NodeId, seq: number, source: string, nowMs: number): void {
  const sender = state.view.members.get(from);
  const isMember = sender !== undefined && sender.gossipAddress === source;
  // It thinks it is well, and is thought dead here: it must hear of it, to refute.
  if (isMember) state.send(sender, { type: 'ack', seq }, nowMs, state.accusationOf(from, nowMs));
  else state.send(source, { type: 'ack', seq }, nowMs);
}
