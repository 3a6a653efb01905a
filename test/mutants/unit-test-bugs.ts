import type { PlantedBug } from './planted-tests.ts';

const clock = 'packages/lease/src/session-clock.test.ts';
const plane = 'packages/engine/src/control/control-plane.test.ts';
const staleTables = 'packages/engine/src/control/stale-tables.test.ts';
const logCut = 'packages/testkit/src/cluster-simulation/log-cut.test.ts';
const tableFloor = 'packages/lease/src/table-floor.test.ts';
const raftDriver = 'packages/engine/src/control/raft-driver.test.ts';
const replication = 'packages/raft/src/replication.test.ts';
const diskOrder = 'packages/raft/src/disk-order.test.ts';
const pieces = 'packages/raft/src/snapshot-pieces.test.ts';
const damage = 'packages/embedded/src/raft-damage.test.ts';
const quarantine = 'packages/lease/src/quarantine.test.ts';
const holder = 'packages/processor/src/holder/quarantine.test.ts';
const lastCommit = 'packages/engine/src/shard/last-commit.test.ts';
const forcedEnds = 'packages/lease/src/forced-ends.test.ts';
const faulty = 'packages/processor/src/holder/faulty-units.test.ts';
const storeCalls = 'packages/testkit/src/store-calls.test.ts';
const formerGenerations = 'packages/lease/src/former-generations.test.ts';
const idleCommits = 'packages/testkit/src/idle-commits.test.ts';
const tooLarge = 'packages/testkit/src/too-large.test.ts';
const generations = 'packages/processor/src/holder/generations.test.ts';
const adoption = 'packages/engine/src/ports/adoption.test.ts';

/**
 * Bugs of the control plane, of Raft and of its storage that the simulation of the control planes can't see, as
 * docs/TESTING.md says, of quarantine, faulty units, late commits and outputs that are too large, and of threads that share memory; unit tests do. In the order of the invariants.
 */
export const unitTestBugs: readonly PlantedBug[] = [
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
    name: 'store: a row that was fenced counts as accepted',
    invariant: 'I6',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: "else if (result.code === 'FENCED') holder.onFenced(row, result.epoch);",
    replace: "else if (result.code === 'FENCED') holder.onRowAccepted(row, nowMs);",
    tests: [storeCalls],
  },
  {
    name: 'commits: a commit that was overtaken by an earlier one is never said again',
    invariant: 'I8',
    file: 'packages/engine/src/shard/last-commit.ts',
    find: 'commitAgainMsMax) : commitAgainMsMin;',
    replace: 'commitAgainMsMax) : commitAgainMsMax;',
    tests: [lastCommit],
  },
  {
    name: 'commits: an offset of a topic that is gone is tried again each second',
    invariant: 'I8',
    file: 'packages/engine/src/shard/commit-loop.ts',
    find: 'loop.lastCommit.note(offset,',
    replace: "if (result !== 'gone') loop.lastCommit.note(offset,",
    tests: [idleCommits],
  },
  {
    name: 'quarantine: a unit is claimed before its quarantine is known',
    invariant: 'I5',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'return this.quarantine.index < this.#leases.quarantineIndex() ? 0 : this.#claims.length;',
    replace: 'return this.#claims.length;',
    tests: [holder],
  },
  {
    name: 'faulty: a state that can not be read is durable as it was',
    invariant: 'I6',
    file: 'packages/processor/src/holder/rounds.ts',
    find: "if (!unit.dirty || !unit.held || unit.phase === 'faulty') continue;",
    replace: 'if (!unit.dirty || !unit.held) continue;',
    tests: [faulty],
  },
  {
    name: 'faulty: a faulty unit takes records',
    invariant: 'I21',
    file: 'packages/processor/src/holder/holder.ts',
    find: "if (unit.phase !== 'open' && unit.phase !== 'claiming') return false;",
    replace: "if (unit.phase === 'closing' || unit.phase === 'closed') return false;",
    tests: [faulty],
  },
  {
    name: 'threads: an end by force is counted before the lease is gone',
    invariant: 'I8',
    file: 'packages/lease/src/replay.ts',
    find: "this.#history?.left('forced', record.hi, record.lo, index);\n    slots.remove(slot);\n    // Last: whoever sees the count looks once, and has to see the lease gone and the index of its end.\n    marks.forcedCount++;\n    Atomics.store(slots.words, headerAt.forcedCount, marks.forcedCount);",
    replace:
      "this.#history?.left('forced', record.hi, record.lo, index);\n    marks.forcedCount++;\n    Atomics.store(slots.words, headerAt.forcedCount, marks.forcedCount);\n    slots.remove(slot);",
    tests: [forcedEnds],
  },
  {
    name: 'faulty: a report without the index of the forced end',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.#needIndex = Math.max(this.#needIndex, this.#leases.uncleanIndex());',
    replace: '',
    tests: [faulty],
  },
  {
    name: 'faulty: a generation entry has a state written that could not be read',
    invariant: 'I6',
    file: 'packages/processor/src/holder/generation.ts',
    find: "if (unit.phase !== 'open' && unit.phase !== 'faulty') closing",
    replace: "if (unit.phase !== 'open') closing",
    tests: [faulty],
  },
  {
    name: 'faulty: what waited for a row that can not be made waits on',
    invariant: 'I8',
    file: 'packages/processor/src/holder/row-writer.ts',
    find: '      }\n      onTaken(unit);',
    replace: '        onTaken(unit);\n      }',
    tests: [faulty],
  },
  {
    name: 'faulty: a state that can not be copied ends the shard',
    invariant: 'I8',
    file: 'packages/processor/src/holder/applier.ts',
    find: 'if (!(error instanceof StateFaultError)) throw error;',
    replace: 'if (error !== null) throw error;',
    tests: [faulty],
  },
  {
    name: 'faulty: the leader takes away what another session holds',
    invariant: 'I1',
    file: 'packages/lease/src/coordinator.ts',
    find: 'else if (!reader.lookup(hi, lo) || reader.session !== session || reader.epoch !== epochs[i]) stale++;',
    replace: 'else if (!reader.lookup(hi, lo)) stale++;',
    tests: [quarantine],
  },
  {
    name: 'quarantine: records under suspicion are noted as a frame',
    invariant: 'I8',
    file: 'packages/processor/src/holder/note-taker.ts',
    find: 'if (this.#notes.isSuspect(partition, first, last)) return false;',
    replace: '',
    tests: [holder],
  },
  {
    name: 'quarantine: what was beside a deadly record each time counts as well',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-rule.ts',
    find: 'return !all.some(isRival);',
    replace: 'void all;\n  void isRival;\n  return true;',
    tests: [quarantine],
  },
  {
    name: 'quarantine: two ends at any records of a user are enough',
    invariant: 'I8',
    file: 'packages/lease/src/unit-crashes.ts',
    find: 'return a.offset === b.offset && a.partition === b.partition && a.topicId === b.topicId;',
    replace: 'return a.topicId === b.topicId;',
    tests: [quarantine],
  },
  {
    name: 'threads: what was made for one generation goes to the store as the next one’s',
    invariant: 'I6',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: '    for (;;) {\n      const generation = this.#context.generation;',
    replace:
      '    index = leases.generationIndex();\n    for (;;) {\n      const generation = this.#context.generation;',
    tests: [storeCalls],
  },
  {
    name: 'threads: an answer of an older generation counts',
    invariant: 'I6',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: 'if (answer === null || leases.generationIndex() !== index) return null;',
    replace: 'if (answer === null) return null;',
    tests: [storeCalls],
  },
  {
    name: 'store: one of another history passes for what was before',
    invariant: 'I6',
    file: 'packages/engine/src/control/leader-term.ts',
    find: "const continues = current === '' || answer.results[0] === true;",
    replace: "const continues = current !== '-';",
    tests: [plane],
  },
  {
    name: 'store: sessions outlive a store of another history',
    invariant: 'I6',
    file: 'packages/lease/src/replay.ts',
    find: 'if (!record.continues)\n      for (const { session }',
    replace: 'if (record.number < 0)\n      for (const { session }',
    tests: [formerGenerations],
  },
  {
    name: 'store: what is held is written over a store of another history',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'for (const unit of this.#units) if (!this.#stillMine(unit)) this.#drop(unit);\n    this.#claims =',
    replace: 'this.#claims =',
    tests: [storeCalls],
  },
  {
    name: 'store: a store that others wrote to is noted as the next of the log',
    invariant: 'I6',
    file: 'packages/engine/src/ports/adoption.ts',
    find: "from: continues ? current : ''",
    replace: 'from: current',
    tests: [adoption],
  },
  {
    name: 'outputs: one that is too large counts as published before its letter is durable',
    invariant: 'P6',
    file: 'packages/engine/src/shard/output-loop.ts',
    find: 'if (refused.length > 0 && !(await this.#appendAll(refused, []))) return;',
    replace: 'if (refused.length > 0) void this.#appendAll(refused, []);',
    tests: [tooLarge],
  },
  {
    name: 'outputs: what is durable of an append that failed is appended again',
    invariant: 'P6',
    file: 'packages/engine/src/shard/output-loop.ts',
    find: 'group.left = group.left.slice(error.appended);',
    replace: '',
    tests: [tooLarge],
  },
  {
    name: 'store: what is dropped at a generation is durable',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.#needIndex = Math.max(this.#needIndex, index);',
    replace: '',
    tests: [generations],
  },
  {
    name: 'store: one of before there were notes continues any other',
    invariant: 'I6',
    file: 'packages/engine/src/ports/adoption.ts',
    find: '(noted === null && isEmpty)',
    replace: 'noted === null',
    tests: [adoption],
  },
];
