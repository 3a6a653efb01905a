import type { NodeId } from '@holdfast/model';
import { isReachable } from '../member.ts';
import type { SwimState } from './swim-state.ts';

/** Pings for another. Only members, at the address known here: a relay for any address is a tool for scanning. */
export function relay(
  state: SwimState,
  request: { readonly seq: number; readonly target: NodeId; readonly address: string },
  source: string,
  nowMs: number,
): void {
  const { probeTimeoutMs, pingTimeoutMs } = state.options;
  const member = state.view.members.get(request.target);
  if (member === undefined || !isReachable(member) || member.gossipAddress !== request.address) return;
  if (!state.relayLimit.take(nowMs)) {
    state.stats.refusedRate++;
    return;
  }
  const seq = state.nextSeq();
  // Early enough for the nack to arrive before the asker concludes.
  const dueMs = nowMs + (probeTimeoutMs - pingTimeoutMs) / 2;
  state.relays.set(seq, { target: member.id, asker: source, askerSeq: request.seq, dueMs });
  state.send(member, { type: 'ping', seq, target: member.id }, nowMs, state.accusationOf(member.id, nowMs));
}

export function followRelays(state: SwimState, nowMs: number): void {
  for (const [seq, { asker, askerSeq, dueMs }] of state.relays) {
    if (nowMs < dueMs) continue;
    state.relays.delete(seq);
    // Late itself, it can't say whether the target was.
    if (state.health.isTrusted(nowMs)) state.send(asker, { type: 'nack', seq: askerSeq }, nowMs);
  }
}

/** An ack came, for a probe of this node or for one it relays. */
export function takeAck(state: SwimState, from: NodeId, seq: number, nowMs: number): void {
  if (state.probes.get(from)?.seq === seq) {
    state.probes.delete(from);
    state.health.improve();
  }
  const relayed = state.relays.get(seq);
  if (relayed?.target !== from) return;
  state.relays.delete(seq);
  state.send(relayed.asker, { type: 'relayed', seq: relayed.askerSeq }, nowMs);
}

/** A relay that was asked answered; only of those that were asked it counts. */
export function takeRelayAnswer(state: SwimState, from: NodeId, seq: number, reached: boolean): void {
  for (const [target, probe] of state.probes) {
    if (probe.seq !== seq || !probe.relays.has(from)) continue;
    probe.answered.add(from);
    if (reached) {
      state.probes.delete(target);
      state.health.improve();
    }
  }
}
