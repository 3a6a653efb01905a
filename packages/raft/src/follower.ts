import type { RaftCore } from './core.ts';
import type { Append, Commit, Heartbeat, InstallSnapshot, ReadIndexReply } from './messages.ts';
import { SnapshotAssembly } from './snapshot-assembly.ts';

/** Entries from the leader of this term (5.3). The reply leaves after they are on disk, as all messages do. */
export function onAppend(core: RaftCore, m: Append): void {
  const { log } = core;
  const reply = { type: 'appendReply', from: core.id, to: m.from, term: core.term } as const;
  if (m.prevIndex < log.commit) {
    // An old message: what is committed agrees with every leader, so say how far that is.
    core.send({ ...reply, reject: false, index: log.commit, hintIndex: 0, hintTerm: 0 });
    return;
  }
  const agreed = log.maybeAppend(m.prevIndex, m.prevTerm, m.entries);
  if (agreed === null) {
    const hint = log.conflictHint(Math.min(m.prevIndex, log.lastIndex), m.prevTerm);
    core.send({ ...reply, reject: true, index: m.prevIndex, hintIndex: hint.index, hintTerm: hint.term });
    return;
  }
  // Not further than this message proves: what follows in our log may not be the leader's.
  log.commitTo(Math.min(m.commit, agreed));
  core.send({ ...reply, reject: false, index: agreed, hintIndex: 0, hintTerm: 0 });
}

export function onHeartbeat(core: RaftCore, m: Heartbeat): void {
  core.log.commitTo(m.commit);
  core.send({ type: 'heartbeatReply', from: core.id, to: m.from, term: core.term, readRound: m.readRound });
}

/** Where the logs agree on an entry they agree on all before it (5.3); an entry that got lost on the way comes with its commit. */
export function onCommit(core: RaftCore, m: Commit): void {
  if (core.log.matches(m.commit, m.commitTerm)) core.log.commitTo(m.commit);
}

export function onSnapshot(core: RaftCore, m: InstallSnapshot): void {
  const { log } = core;
  if (m.index > log.commit) {
    if (log.matches(m.index, m.snapshotTerm)) {
      // The entries are all here, so knowing that they are committed is enough.
      log.commitTo(m.index);
    } else if (!assemble(core, m)) return;
  }
  core.assembly = null;
  core.send({ type: 'snapshotReply', from: core.id, to: m.from, term: core.term, index: log.commit });
}

/** Takes a piece. True if the snapshot was whole and has replaced the log; else the leader was told what is missing. */
function assemble(core: RaftCore, m: InstallSnapshot): boolean {
  if (m.bytes > core.options.snapshotBytesMax) {
    core.refusedSnapshotBytes = m.bytes;
    return false;
  }
  if (core.assembly === null || !core.assembly.isOf(m)) core.assembly = new SnapshotAssembly(m);
  const result = core.assembly.take(m);
  if (result.isWhole) {
    core.log.restore(result.snapshot);
    core.takeConf(result.snapshot.index, result.snapshot.conf);
    return true;
  }
  const { offset } = result;
  core.send({ type: 'snapshotProgress', from: core.id, to: m.from, term: core.term, index: m.index, offset });
  return false;
}

export function onReadIndexReply(core: RaftCore, m: ReadIndexReply): void {
  const context = core.forwardedReads.get(m.requestId);
  if (context === undefined) return;
  core.forwardedReads.delete(m.requestId);
  core.readStates.push({ context, index: m.index });
}
