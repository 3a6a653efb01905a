import { assert } from '@holdfast/model';
import type { RaftCore } from './core.ts';
import type { AppendReply, HeartbeatReply, SnapshotProgress, SnapshotReply } from './messages.ts';
import type { Progress } from './progress.ts';
import { voteResult } from './quorum.ts';
import { releaseReads } from './reads.ts';
import { broadcastHeartbeat, maybeCommit } from './replication.ts';
import type { ProposeResult, TransferResult } from './types.ts';

/** Takes office after a won election. */
export function lead(core: RaftCore): void {
  core.becomeLeader();
  // Only an entry of its own term lets a leader commit, and learn how far the log is committed (5.4.2, 8).
  const { index } = core.log.appendOwn(core.term, new Uint8Array(0));
  // Until that is applied, there may be a configuration in the log that this leader doesn't know to be committed.
  core.pendingConfIndex = index;
}

export function tickLeader(core: RaftCore): void {
  const { electionTimeoutTicks, heartbeatTicks, checkQuorum } = core.options;
  for (const progress of core.progress.values()) progress.tick();
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
    const { transfer } = progress;
    if (transfer === null || !transfer.isStalled) continue;
    // What follows it was dropped: only a newer snapshot is of use.
    if (core.log.termAt(transfer.index) === null) progress.becomeProbe(progress.match + 1);
    else transfer.rewind();
  }
  if (++core.heartbeatElapsed >= heartbeatTicks) {
    core.heartbeatElapsed = 0;
    if (core.reads.isWaiting) core.reads.startRound(core.conf, core.id);
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
  if (!core.conf.voters.includes(to)) return { ok: false, code: 'NOT_A_VOTER' };
  core.transferee = to;
  core.transferElapsed = 0;
  finishTransfer(core, to, progress);
  return { ok: true };
}

export function onAppendReply(core: RaftCore, m: AppendReply): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.alive();
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
  progress.alive();
  onAcked(core, m.from, progress, m.index);
}

export function onSnapshotProgress(core: RaftCore, m: SnapshotProgress): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.alive();
  if (progress.transfer?.index === m.index) progress.transfer.answered(m.offset);
}

export function onHeartbeatReply(core: RaftCore, m: HeartbeatReply): void {
  const progress = core.progress.get(m.from);
  if (core.role !== 'leader' || progress === undefined) return;
  progress.alive();
  progress.heard(core.log.lastIndex);
  core.reads.acked(m.from, m.readRound, core.conf, core.id);
  releaseReads(core);
}

/** The driver couldn't reach the peer: what was sent ahead is probably lost. */
export function onUnreachable(core: RaftCore, peer: string): void {
  const progress = core.progress.get(peer);
  if (progress?.state === 'replicate') progress.becomeProbe(progress.match + 1);
}

/** The driver sent all pieces of a snapshot, or couldn't send one. */
export function onSnapshotReport(core: RaftCore, peer: string, ok: boolean): void {
  const progress = core.progress.get(peer);
  if (progress === undefined || progress.transfer === null) return;
  if (!ok && progress.transfer.ackedBytes > 0) {
    progress.transfer.rewind();
    return;
  }
  progress.becomeProbe(ok ? Math.max(progress.match, progress.transfer.index) + 1 : progress.match + 1);
  // The peer is busy with it, or in trouble: the answer to the next heartbeat says when to go on.
  progress.holdProbe();
}

function onAcked(core: RaftCore, peer: string, progress: Progress, index: number): void {
  assert(index <= core.log.lastIndex, `${peer} acknowledged ${index}, after last entry ${core.log.lastIndex}`);
  const isNews = progress.acked(index);
  const canAppend = progress.state === 'probe' || progress.match >= core.log.baseIndex;
  if (progress.state !== 'replicate' && canAppend) progress.becomeReplicate();
  // What it has taken is too old by now: it needs another one.
  else if (progress.transfer !== null && progress.match >= progress.transfer.index)
    progress.becomeProbe(progress.match + 1);
  if (!isNews) return;
  maybeCommit(core);
  if (core.transferee === peer) finishTransfer(core, peer, progress);
}

function finishTransfer(core: RaftCore, to: string, progress: Progress): void {
  if (progress.match === core.log.lastIndex) core.send({ type: 'timeoutNow', from: core.id, to, term: core.term });
}

function isQuorumActive(core: RaftCore): boolean {
  const active = new Map([[core.id, true]]);
  for (const [peer, { recentActive }] of core.progress) active.set(peer, recentActive);
  return voteResult(core.conf, active) === 'won';
}
