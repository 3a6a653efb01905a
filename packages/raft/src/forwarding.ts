import { assert } from '@holdfast/model';
import type { RaftCore } from './core.ts';
import { propose } from './leader.ts';
import type { Propose, ProposeReply } from './messages.ts';
import type { ForwardProposalResult, ReadContext } from './types.ts';

/** Requests remembered, so that one that the network repeats isn't taken twice. */
const takenMax = 10_000;

/** A proposal of this node's own caller: taken if it leads, sent to who does. */
export function forwardProposal(core: RaftCore, context: ReadContext, data: Uint8Array): ForwardProposalResult {
  assert(data.length > 0, 'a proposal without data would pass for the no-op of a leader');
  if (core.role === 'leader') {
    core.forwardResults.push({ context, result: propose(core, data) });
    return { ok: true };
  }
  if (core.leader === null) return { ok: false, code: 'NO_LEADER' };
  const requestId = core.noteForwarded(core.forwardedProposals, context, core.options.forwardedMax);
  core.send({ type: 'propose', from: core.id, to: core.leader, term: core.term, requestId, data });
  return { ok: true };
}

export function onPropose(core: RaftCore, m: Propose): void {
  if (core.role !== 'leader' || m.data.length === 0) return;
  const key = `${m.requestId} ${m.from}`;
  if (core.takenForwards.has(key)) return;
  core.takenForwards.add(key);
  if (core.takenForwards.size > takenMax) core.takenForwards.delete(core.takenForwards.values().next().value!);
  const result = propose(core, m.data);
  const reply = { type: 'proposeReply', from: core.id, to: m.from, term: core.term, requestId: m.requestId } as const;
  if (result.ok) core.send({ ...reply, index: result.index, entryTerm: result.term });
  else core.send({ ...reply, index: 0, entryTerm: 0 });
}

export function onProposeReply(core: RaftCore, m: ProposeReply): void {
  const context = core.forwardedProposals.get(m.requestId);
  if (context === undefined) return;
  core.forwardedProposals.delete(m.requestId);
  core.forwardResults.push({
    context,
    result: m.index > 0 ? { ok: true, index: m.index, term: m.entryTerm } : { ok: false, code: 'UNCOMMITTED_FULL' },
  });
}
