import type { PlantedBug } from './planted-tests.ts';

const clock = 'packages/lease/src/session-clock.test.ts';
const plane = 'packages/engine/src/control/control-plane.test.ts';
const replication = 'packages/raft/src/replication.test.ts';
const diskOrder = 'packages/raft/src/disk-order.test.ts';
const pieces = 'packages/raft/src/snapshot-pieces.test.ts';
const damage = 'packages/embedded/src/raft-damage.test.ts';

/**
 * Bugs of the control plane, of Raft and of its storage that the simulation of the control planes can't see, as
 * docs/TESTING.md says; unit tests do. In the order of the invariants.
 */
export const controlTestBugs: readonly PlantedBug[] = [
  {
    name: 'control: a stalled leader counts its own absence against the sessions',
    invariant: 'I10',
    file: 'packages/lease/src/session-clock.ts',
    find: 'for (const session of all) this.renewed(session, Math.min(',
    replace: 'for (const session of all.slice(all.length)) this.renewed(session, Math.min(',
    tests: [clock],
  },
  {
    name: 'control: a stalled leader expires before a quorum has told it that it still leads',
    invariant: 'I10',
    file: 'packages/lease/src/session-clock.ts',
    find: 'if (health.quorumConfirmedAtMs < this.#distrustedAtMs) return [];',
    replace: '',
    tests: [clock],
  },
  {
    name: 'control: a leader does not notice that its tick is late',
    invariant: 'I10',
    file: 'packages/engine/src/control/leader-term.ts',
    find: 'const input = {\n      tickLateMs,',
    replace: 'const input = {\n      tickLateMs: 0,',
    tests: [plane],
  },
  {
    name: 'control: an entry of an earlier term is committed by count',
    invariant: 'I13',
    file: 'packages/raft/src/replication.ts',
    find: 'if (index <= log.commit || !log.matches(index, core.term)) return;',
    replace: 'if (index <= log.commit) return;',
    tests: [replication],
  },
  {
    name: 'control: a commit counts where the log has another entry',
    invariant: 'I13',
    file: 'packages/raft/src/follower.ts',
    find: 'if (core.log.matches(m.commit, m.commitTerm)) core.log.commitTo(m.commit);',
    replace: 'core.log.commitTo(Math.min(m.commit, core.log.lastIndex));',
    tests: [diskOrder],
  },
  {
    name: 'control: a leader counts its own log before its disk has it',
    invariant: 'I16',
    file: 'packages/raft/src/replication.ts',
    find: 'voter === core.id ? log.stable :',
    replace: 'voter === core.id ? log.lastIndex :',
    tests: [diskOrder],
  },
  {
    name: 'control: the checksum of stored entries is ignored',
    invariant: 'I14',
    file: 'packages/embedded/src/raft-codec.ts',
    find: 'const reader = unseal(index, bytes,',
    replace: 'const reader = new ByteReader(bytes.subarray(4)) ?? unseal(index, bytes,',
    tests: [damage],
  },
  {
    name: 'control: the checksum of a stored snapshot is ignored',
    invariant: 'I14',
    file: 'packages/embedded/src/stored-snapshot.ts',
    find: 'if (at !== dataLength || sum !== dataSum) throw',
    replace: 'if (at !== dataLength) throw',
    tests: [damage],
  },
  {
    name: 'control: the checksum of a snapshot that comes in pieces is ignored',
    invariant: 'I14',
    file: 'packages/raft/src/snapshot-assembly.ts',
    find: 'if (sum !== m.sum || m.offset',
    replace: 'if (m.offset',
    tests: [pieces],
  },
  {
    name: 'control: the checksum of the stored vote is ignored',
    invariant: 'I17',
    file: 'packages/embedded/src/raft-codec.ts',
    find: "const reader = unseal(hardStateSalt, bytes, 'the hard state');",
    replace: 'const reader = new ByteReader(bytes.subarray(4));',
    tests: [damage],
  },
];
