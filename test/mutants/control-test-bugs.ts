import type { PlantedBug } from './planted-tests.ts';

const clock = 'packages/lease/src/session-clock.test.ts';
const plane = 'packages/engine/src/control/control-plane.test.ts';
const staleTables = 'packages/engine/src/control/stale-tables.test.ts';
const logCut = 'packages/testkit/src/cluster-simulation/log-cut.test.ts';
const tableFloor = 'packages/lease/src/table-floor.test.ts';
const replication = 'packages/raft/src/replication.test.ts';
const diskOrder = 'packages/raft/src/disk-order.test.ts';
const pieces = 'packages/raft/src/snapshot-pieces.test.ts';
const damage = 'packages/embedded/src/raft-damage.test.ts';
const raftDriver = 'packages/engine/src/control/raft-driver.test.ts';

/** Bugs of the control plane, of Raft and of its storage that the simulation of the control planes can't see, as docs/TESTING.md says; unit tests do. */
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
    name: 'control: a leader counts renewals of a node that the log does not reach',
    invariant: 'I8',
    file: 'packages/lease/src/coordinator.ts',
    find: 'if (behind !== null) return behind;',
    replace: '',
    tests: [tableFloor, staleTables],
  },
  {
    name: 'control: a node that the log does not reach renews for ever, where leaders change',
    invariant: 'I8',
    file: 'packages/engine/src/control/node-session.ts',
    find: 'return this.#options.table.tableIndex >= this.#floor.at(nowMs);',
    replace: 'return true;',
    tests: [staleTables],
  },
  {
    name: 'control: a node whose table was behind for a moment loses its session',
    invariant: 'I10',
    file: 'packages/lease/src/coordinator.ts',
    find: 'new TableFloor(options.sessionTtlMs)',
    replace: 'new TableFloor(options.renewEveryMs)',
    tests: [tableFloor],
  },
  {
    name: 'control: a session for a node without a log',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-desk.ts',
    find: 'if (missing !== null) return missing;',
    replace: '',
    tests: [staleTables],
  },
  {
    name: 'control: a member that gossip takes for dead is sent no log',
    invariant: 'I8',
    file: 'packages/engine/src/control/peer-addresses.ts',
    find: 'for (const id of members) {',
    replace: 'for (const id of [] as NodeId[]) {',
    tests: [staleTables],
  },
  {
    name: 'control: a node that the log does not reach holds up all input',
    invariant: 'I8',
    file: 'packages/lease/src/table-floor.ts',
    find: 'first.index : 0',
    replace: '0 : 0',
    tests: [logCut],
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
  {
    name: 'control: what follows a snapshot on its way is dropped, and another one sent',
    invariant: 'I8',
    file: 'packages/engine/src/control/log-compaction.ts',
    find: 'needed = Math.min(needed, snapshot.index);',
    replace: 'needed = index;',
    tests: [raftDriver],
  },
  {
    name: 'control: the log grows for as long as a snapshot is on its way',
    invariant: 'I21',
    file: 'packages/engine/src/control/log-compaction.ts',
    find: 'return Math.max(needed, floor);',
    replace: 'return needed;',
    tests: [raftDriver],
  },
  {
    name: 'control: a session that is seen late is held without fresh proof',
    invariant: 'I1',
    file: 'packages/engine/src/control/node-session.ts',
    find: 'this.#options.timers.monotonicMs() - this.#confirmedAtMs >= this.#options.lease.holderStopMs',
    replace: 'false',
    tests: [staleTables],
  },
];
