import type { RaftCore } from './core.ts';
import type { ReadIndex } from './messages.ts';
import type { ReadOrigin } from './read-only.ts';
import type { ReadContext, ReadIndexResult } from './types.ts';

/** A read of this node's own caller: taken if it leads, forwarded if it knows who does. */
export function requestRead(core: RaftCore, context: ReadContext): ReadIndexResult {
  if (core.role === 'leader') {
    return takeRead(core, { from: null, context }) ? { ok: true } : { ok: false, code: 'READS_FULL' };
  }
  if (core.leader === null) return { ok: false, code: 'NO_LEADER' };
  const requestId = core.noteForwarded(core.forwardedReads, context, core.options.pendingReadsMax);
  core.send({ type: 'readIndex', from: core.id, to: core.leader, term: core.term, requestId });
  return { ok: true };
}

/** A follower's read. When there is no room it is dropped, as by the network. */
export function onReadIndex(core: RaftCore, m: ReadIndex): void {
  if (core.role === 'leader') takeRead(core, { from: m.from, requestId: m.requestId });
}

/** Hands out the reads for which leadership is proven. */
export function releaseReads(core: RaftCore): void {
  for (const { origin, index } of core.reads.takeConfirmed()) {
    if (origin.from === null) {
      core.readStates.push({ context: origin.context, index });
      continue;
    }
    const { from: to, requestId } = origin;
    core.send({ type: 'readIndexReply', from: core.id, to, term: core.term, requestId, index });
  }
}

function takeRead(core: RaftCore, origin: ReadOrigin): boolean {
  if (core.reads.size >= core.options.pendingReadsMax) return false;
  if (core.hasCommittedInTerm) core.reads.add(origin, core.log.commit);
  else core.reads.hold(origin);
  return true;
}
