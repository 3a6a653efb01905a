import { bentRowBugs } from './bent-row-bugs.ts';
import { kafkaBugs } from './kafka-bugs.ts';
import { memoryStoreBugs } from './memory-store-bugs.ts';
import type { PlantedBug } from './planted-tests.ts';

const plane = 'packages/engine/src/control/control-plane.test.ts';
const quarantine = 'packages/lease/src/quarantine.test.ts';
const quarantineRule = 'packages/lease/src/quarantine-rule.test.ts';
const holder = 'packages/processor/src/holder/quarantine.test.ts';
const lastCommit = 'packages/engine/src/shard/last-commit.test.ts';
const forcedEnds = 'packages/lease/src/forced-ends.test.ts';
const faulty = 'packages/processor/src/holder/faulty-units.test.ts';
const storeCalls = 'packages/testkit/src/store-calls.test.ts';
const formerGenerations = 'packages/lease/src/former-generations.test.ts';
const idleCommits = 'packages/testkit/src/idle-commits.test.ts';
const tooLarge = 'packages/testkit/src/too-large.test.ts';
const generations = 'packages/processor/src/holder/generations.test.ts';
const startOffset = 'packages/testkit/src/start-offset.test.ts';
const leftBehind = 'packages/testkit/src/commits-left-behind.test.ts';
const readings = 'packages/processor/src/ingest/readings.test.ts';
const undurable = 'packages/processor/src/ingest/undurable.test.ts';
const undurableFrames = 'packages/processor/src/ingest/undurable-frames.test.ts';
const failedShard = 'packages/testkit/src/failed-shard.test.ts';
const publication = 'packages/lease/src/publication-order.test.ts';
const adoption = 'packages/engine/src/ports/adoption.test.ts';

/** Bugs of stores, commits, quarantine, faulty units, outputs and threads that share memory: for unit tests. */
export const unitTestBugs: readonly PlantedBug[] = [
  ...bentRowBugs,
  ...kafkaBugs,
  ...memoryStoreBugs,
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
    find: 'this.awaited.raise(this.#leases.uncleanIndex());',
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
    find: 'if (!(error instanceof StateFaultError)) {',
    replace: 'if (error !== null) {',
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
    name: 'quarantine: the note stands of a record at which the job wants to be stopped',
    invariant: 'I8',
    file: 'packages/processor/src/holder/applier.ts',
    find: 'if (error instanceof StopWantedError) this.#notes.end();',
    replace: '',
    tests: [holder],
  },
  {
    name: 'quarantine: what was beside a deadly record each time counts as well',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-rule.ts',
    find: 'return !all.some((other) => isRival(other));',
    replace: 'void all;\n  void isRival;\n  return true;',
    tests: [quarantineRule],
  },
  {
    name: 'quarantine: what lies in the frame of another shard is never the cause',
    invariant: 'I8',
    file: 'packages/lease/src/process-crashes.ts',
    find: 'if (position.offset < crash.first || position.offset > crash.last) return false;',
    replace: 'if (crash.first >= 0) return false;',
    tests: [quarantineRule],
  },
  {
    name: 'quarantine: to lie in a frame speaks against a user',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-rule.ts',
    find: 'return [...other.ends].filter((end) => !ends.has(end)).length >= alone.length;',
    replace: 'return other.ends.size >= ends.size;',
    tests: [quarantineRule],
  },
  {
    name: 'quarantine: frames push what is named out of the table',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-registry.ts',
    find: 'this.#crashes.splice(Math.max(0, frame), 1);',
    replace: 'this.#crashes.splice(Math.min(0, frame), 1);',
    tests: [quarantine],
  },
  {
    name: 'quarantine: what was beside the record of a quarantined user counts when it is told late',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-decisions.ts',
    find: 'crashes.filter(({ counter }) => !explained.has(counter))',
    replace: 'crashes.filter(({ counter }) => explained.size < 1_000 || counter < 0)',
    tests: [quarantine],
  },
  {
    name: 'quarantine: two ends at any records of a user are enough',
    invariant: 'I8',
    file: 'packages/lease/src/process-crashes.ts',
    find: 'return a.offset === b.offset && a.partition === b.partition && a.topicId === b.topicId;',
    replace: 'return a.topicId === b.topicId;',
    tests: [quarantineRule],
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
    name: "offsets: a commit of another store's generation is believed",
    invariant: 'I6',
    file: 'packages/engine/src/shard/start-offset.ts',
    find: 'if (committed?.generationId === generation.generationId) return committed.offset;',
    replace: 'if (committed !== null && generation.number === 1) return committed.offset;',
    tests: [startOffset, leftBehind],
  },
  {
    name: 'offsets: a job begins at its start position where another cluster has read',
    invariant: 'I6',
    file: 'packages/engine/src/shard/start-offset.ts',
    find: 'committed === null && generation.number === 1 && lease.wasThere',
    replace: 'generation.number === 1 && lease.wasThere',
    tests: [startOffset],
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
    name: 'outputs: a topic that takes nothing, as if it were not there, counts as made anew each time',
    invariant: 'P6',
    file: 'packages/engine/src/shard/output-loop.ts',
    find: 'return partitions !== before;',
    replace: 'return true;',
    tests: ['packages/testkit/src/output-topics.test.ts'],
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
    name: 'quarantine: what lies before a release is applied when it is read again',
    invariant: '6.3',
    file: 'packages/processor/src/quarantine.ts',
    find: 'return before === null || offset < before.offsetOf(partition);',
    replace: 'return before === null;',
    tests: [holder],
  },
  {
    name: 'store: what is dropped at a generation is durable',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.awaited.raise(index);',
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
  {
    name: 'undurable: frames are not joined, however many wait for the store',
    invariant: 'I21',
    file: 'packages/processor/src/ingest/undurable-frames.ts',
    find: 'if (this.#runs.length >= this.#runsMax) this.#join();',
    replace: '',
    tests: [undurable, undurableFrames],
  },
  {
    name: 'undurable: all frames are joined into one, which no report reaches the end of',
    invariant: 'I8',
    file: 'packages/processor/src/ingest/undurable-frames.ts',
    find: '(4 * total) / this.#runsMax;',
    replace: 'total;',
    tests: [undurableFrames],
  },
  {
    name: 'undurable: what was sent in a reading that is over holds the next one back',
    invariant: 'I8',
    file: 'packages/processor/src/ingest/ingest-stream.ts',
    find: 'delete this.undurable[slot];',
    replace: '',
    tests: [undurable],
  },
  {
    name: 'undurable: what is settled late of a reading that is over holds the next one back',
    invariant: 'I8',
    file: 'packages/processor/src/ingest/ingest-stream.ts',
    find: 'if (sent.current) this.#settled(sent);',
    replace: 'this.#settled(sent);',
    tests: [undurable],
  },
  {
    name: 'threads: a start of an earlier generation begins a partition',
    invariant: 'I6',
    file: 'packages/processor/src/ingest/readings.ts',
    find: 'if (generationIndex !== this.#generationSeen) return null;',
    replace: '',
    tests: [readings],
  },
  {
    name: 'threads: an unclean end is noted before its entry is over',
    invariant: 'I6',
    file: 'packages/processor/src/ingest/readings.ts',
    find: 'return this.#leases.tableIndex() >= index ? unclean : null;',
    replace: 'return index >= 0 ? unclean : null;',
    tests: [readings],
  },
  {
    name: 'threads: a claim’s answer of an earlier generation counts, when others of its call came before',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'if (ofIndex !== this.generationIndex) return;\n    const unit',
    replace: 'const unit',
    tests: [generations],
  },
  {
    name: 'threads: a marker’s answer of an earlier generation counts',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'if (ofIndex !== this.generationIndex) return;\n    this.#markers.confirm',
    replace: 'this.#markers.confirm',
    tests: [generations],
  },
  {
    name: 'threads: the generation’s index is shown before its number',
    invariant: 'I6',
    file: 'packages/lease/src/replay.ts',
    find: 'Atomics.store(slots.words, headerAt.generation, record.number);\n    storePair(slots.words, headerAt.generationIndexPair, index);',
    replace:
      'storePair(slots.words, headerAt.generationIndexPair, index);\n    Atomics.store(slots.words, headerAt.generation, record.number);',
    tests: [publication],
  },
  {
    name: 'threads: a shard that has failed writes on',
    invariant: 'I7',
    file: 'packages/engine/src/shard/shard.ts',
    find: 'if (this.#context !== null) this.#context.stopped = true;\n    const text',
    replace: 'const text',
    tests: [failedShard],
  },
];
