import { assert } from '@holdfast/model';
import type { RaftCore } from './core.ts';
import type { AppendReply, HeartbeatReply, SnapshotReply } from './messages.ts';
import type { Progress } from './progress.ts';
import { quorumSize } from './quorum.ts';
import { releaseReads } from './reads.ts';
import { broadcastHeartbeat, maybeCommit } from './replication.ts';
import type { ProposeResult, TransferResult } from './types.ts';

/** Takes office after a won election. */
export function lead(core: RaftCore): void {
  core.becomeLeader();
  // Only an entry of its own term lets a leader commit, and learn how far the log is committed (5.4.2, 8).
  core.log.appendOwn(core.term, new Uint8Array(0));
}

export function tickLeader(core: RaftCore): void {
  const { electionTimeoutTicks, heartbeatTicks, checkQuorum, snapshotRetryTicks } = core.options;
  core.electionElapsed++;
  if (core.electionElapsed >= electionTimeoutTicks) {
    core.electionElapsed = 0;
    if (checkQuorum && !isQuorumActive(core)) {
      core.becomeFollower(core.term, null);
      return;
    }
  }
  if (core.transferee !== null && ++core.transferElapsed >= electionTimeoutTicks) core.transferee = null;
  for (const progress of core.progress.values()) {
    if (progress.state === 'snapshot' && ++progress.snapshotTicks >= snapshotRetryTicks) {
      progress.becomeProbe(progress.match + 1);
    }
  }
  if (++core.heartbeatElapsed >= heartbeatTicks) {
    core.heartbeatElapsed = 0;
    if (core.reads.isWaiting) core.reads.startRound(core.voters, core.id);
    broadcastHeartbeat(core);
    releaseReads(core);
  }
}

export function propose(core: RaftCore, data: Uint8Array): ProposeResult {
  assert(data.length > 0, 'a proposal without data would pass for the no-op of a leader');
  if (core.role !== 'leader') return { ok: false, code: 'NOT_LEADER', leader: core.leader };
  // What is proposed now would keep the log of the next leader from being complete.
  if (core.transferee !== null) return { ok: false, code: 'NOT_LEADER', leader: core.transferee };
  const bytes = core.uncommittedBytes + data.length;
  // One that is over the limit by itself goes through alone, else it never could.
  if (core.uncommittedBytes > 0 && bytes > core.options.uncommittedBytesMax) {
    return { ok: false, code: 'UNCOMMITTED_FULL' };
  }
  core.uncommittedBytes = bytes;
  const { index, term } = core.log.appendOwn(core.term, data);
  return { ok: true, index, term };
}

/** Hands leadership to `to`, or gives up after an election timeout (thesis, 3.10). */
export function transferLeadership(core: RaftCore, to: string): TransferResult {
  if (core.role !== 'leader') return { ok: false, code: 'NOT_LEADER', leader: core.leader };
  if (to === core.id) return { ok: true };
  const progress = core.progress.get(to);
  if (progress === undefined) return { ok: false, code: 'UNKNOWN_PEER' };
  core.transferee = to;
  core.transferElapsed = 0;
  finishTransfer(core, to, progress);
  return { ok: true };
}

export function onAppendReply(core: RaftCore, m: AppendReply): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.recentActive = true;
  if (!m.reject) {
    onAcked(core, m.from, progress, m.index);
    return;
  }
  const hint = m.hintTerm > 0 ? core.log.conflictHint(m.hintIndex, m.hintTerm).index : m.hintIndex;
  progress.rejected(m.index, hint);
}

export function onSnapshotReply(core: RaftCore, m: SnapshotReply): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.recentActive = true;
  onAcked(core, m.from, progress, m.index);
}

export function onHeartbeatReply(core: RaftCore, m: HeartbeatReply): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.heard(core.log.lastIndex);
  core.reads.acked(m.from, m.readRound, core.voters, core.id);
  releaseReads(core);
}

/** The driver couldn't reach the peer: what was sent ahead is probably lost. */
export function onUnreachable(core: RaftCore, peer: string): void {
  const progress = core.progress.get(peer);
  if (progress?.state === 'replicate') progress.becomeProbe(progress.match + 1);
}

/** The driver sent a snapshot, or couldn't. */
export function onSnapshotReport(core: RaftCore, peer: string, ok: boolean): void {
  const progress = core.progress.get(peer);
  if (progress?.state !== 'snapshot') return;
  progress.becomeProbe(ok ? Math.max(progress.match, progress.pendingSnapshot) + 1 : progress.match + 1);
  // The peer is busy with it, or in trouble: the answer to the next heartbeat says when to go on.
  progress.holdProbe();
}

function onAcked(core: RaftCore, peer: string, progress: Progress, index: number): void {
  assert(index <= core.log.lastIndex, `${peer} acknowledged ${index}, after last entry ${core.log.lastIndex}`);
  const isNews = progress.acked(index);
  const canAppend = progress.state === 'probe' || progress.match >= core.log.baseIndex;
  if (progress.state !== 'replicate' && canAppend) progress.becomeReplicate();
  if (!isNews) return;
  maybeCommit(core);
  if (core.transferee === peer) finishTransfer(core, peer, progress);
}

function finishTransfer(core: RaftCore, to: string, progress: Progress): void {
  if (progress.match === core.log.lastIndex) core.send({ type: 'timeoutNow', from: core.id, to, term: core.term });
}

function isQuorumActive(core: RaftCore): boolean {
  let active = core.voters.includes(core.id) ? 1 : 0;
  for (const progress of core.progress.values()) {
    if (progress.recentActive) active++;
    progress.recentActive = false;
  }
  return active >= quorumSize(core.voters.length);
}
