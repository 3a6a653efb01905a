import { assert } from '@holdfast/model';
import type { RaftCore } from './core.ts';
import type { Progress } from './progress.ts';
import { committedIndex } from './quorum.ts';
import { releaseReads } from './reads.ts';
import { SnapshotTransfer } from './snapshot-pieces.ts';

/** Has a leader something to send that it has put off until the next Ready? */
export function isFlushDue(core: RaftCore): boolean {
  if (core.role !== 'leader') return false;
  if (core.reads.isRoundDue) return true;
  const { lastIndex, commit } = core.log;
  for (const progress of core.progress.values()) {
    if (progress.appendDue(lastIndex) || isCommitNewsDue(progress, commit) || progress.isPieceDue) return true;
  }
  return false;
}

/**
 * Sends all that is due, at the moment a Ready is taken: proposals and reads that came since the last one share
 * messages, and a commit index that rose is told to every follower at once, not at the next heartbeat.
 */
export function flush(core: RaftCore): void {
  if (core.role !== 'leader') return;
  if (core.reads.isRoundDue) {
    core.reads.startRound(core.conf, core.id);
    broadcastHeartbeat(core);
    releaseReads(core);
  }
  for (const [peer, progress] of core.progress) {
    while (sendAppend(core, peer, progress)) {
      // As many as the limit on unanswered appends allows.
    }
    while (progress.isPieceDue) sendPiece(core, peer, progress);
    if (isCommitNewsDue(progress, core.log.commit)) sendCommit(core, peer, progress);
  }
}

export function broadcastHeartbeat(core: RaftCore): void {
  for (const [peer, progress] of core.progress) sendHeartbeat(core, peer, progress);
}

/**
 * Commits what a quorum holds, if it is of this term: entries of earlier terms only by way of one that is (5.4.2).
 * The leader's own log counts as far as it is on disk.
 */
export function maybeCommit(core: RaftCore): void {
  const { log } = core;
  const matchOf = (voter: string): number => (voter === core.id ? log.stable : (core.progress.get(voter)?.match ?? 0));
  const index = committedIndex(core.conf, matchOf);
  if (index <= log.commit || !log.matches(index, core.term)) return;
  core.uncommittedBytes -= log.bytesBetween(log.commit, index);
  log.commitTo(index);
  core.reads.releaseHeld(index);
}

/** A commit index that rose is told at once, as far as the peer has been sent the log. */
function isCommitNewsDue(progress: Progress, commit: number): boolean {
  return Math.min(progress.sentThrough, commit) > progress.commitSent;
}

function sendCommit(core: RaftCore, peer: string, progress: Progress): void {
  const commit = Math.min(progress.sentThrough, core.log.commit);
  progress.commitSent = commit;
  const commitTerm = core.log.termAt(commit);
  // Dropped here, so applied there long ago, or part of a snapshot to come.
  if (commitTerm === null) return;
  core.send({ type: 'commit', from: core.id, to: peer, term: core.term, commit, commitTerm });
}

function sendHeartbeat(core: RaftCore, peer: string, progress: Progress): void {
  // Never beyond what the follower is known to hold: the rest of its log may not be ours.
  const commit = Math.min(progress.match, core.log.commit);
  progress.commitSent = Math.max(progress.commitSent, commit);
  core.send({
    type: 'heartbeat',
    from: core.id,
    to: peer,
    term: core.term,
    commit,
    readRound: core.reads.round,
  });
}

/** Sends one append if one is due. True if another may follow. */
function sendAppend(core: RaftCore, peer: string, progress: Progress): boolean {
  const { log } = core;
  if (!progress.appendDue(log.lastIndex)) return false;
  const prevIndex = progress.next - 1;
  const prevTerm = log.termAt(prevIndex);
  if (prevTerm === null) {
    startSnapshot(core, progress);
    return false;
  }
  const entries =
    progress.canCarryEntries && progress.next <= log.lastIndex
      ? log.slice(progress.next, Math.min(core.options.appendBytesMax, progress.bytesLeft))
      : [];
  core.send({
    type: 'append',
    from: core.id,
    to: peer,
    term: core.term,
    prevIndex,
    prevTerm,
    entries,
    commit: log.commit,
  });
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  progress.appendSent(prevIndex + entries.length, bytes, log.commit);
  return entries.length > 0;
}

function startSnapshot(core: RaftCore, progress: Progress): void {
  if (!progress.recentActive) {
    // No use in sending it to a node that doesn't answer; the answer to a heartbeat brings us back here.
    progress.becomeProbe(progress.next);
    progress.holdProbe();
    return;
  }
  const { snapshot } = core.log;
  assert(snapshot !== null, `entry ${progress.next - 1} was dropped, but there is no snapshot`);
  const { snapshotChunkBytes, inflightBytesMax, inflightMessagesMax, snapshotRetryTicks } = core.options;
  const aheadMax = Math.min(inflightMessagesMax, Math.floor(inflightBytesMax / snapshotChunkBytes));
  progress.becomeSnapshot(new SnapshotTransfer(core.piecesOf(snapshot), aheadMax, snapshotRetryTicks));
}

function sendPiece(core: RaftCore, peer: string, progress: Progress): void {
  const transfer = progress.transfer!;
  const { index, term: snapshotTerm, conf, data } = transfer.pieces.snapshot;
  const head = { type: 'snapshot', from: core.id, to: peer, term: core.term } as const;
  core.send({ ...head, index, snapshotTerm, conf, bytes: data.length, ...transfer.takePiece() });
}
