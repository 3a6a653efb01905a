import type { PlantedBug } from './planted-tests.ts';

const lmdb = 'packages/embedded/src/lmdb-backup-store.ts';
const embedded = 'packages/embedded/src/conformance.test.ts';
const claims = 'packages/embedded/src/claim-race.test.ts';
const logReader = 'packages/embedded/src/lmdb-log-reader.ts';
const feeds = 'packages/embedded/src/feed.test.ts';
const looks = 'packages/embedded/src/log-reader.test.ts';
const closing = 'packages/processor/src/holder/closing-units.test.ts';
const oldStreams = 'packages/processor/src/ingest/old-streams.test.ts';
const lateAnswers = 'packages/processor/src/holder/late-answers.test.ts';
const codec = 'packages/sdk/src/state-codec.test.ts';
const processor = 'packages/sdk/src/compile-processor.test.ts';
const idleCommits = 'packages/testkit/src/idle-commits.test.ts';
const generationsTest = 'packages/processor/src/holder/generations.test.ts';
const sealedTest = 'packages/processor/src/holder/sealed-units.test.ts';
const incomingTest = 'packages/testkit/src/incoming-streams.test.ts';
const stoppedTest = 'packages/testkit/src/stopped-partition.test.ts';

/**
 * Bugs of the way of a record through ingest, holder, job and embedded store that no simulation meets: its store and its
 * streams are its own, or two rules stand in for each other there. Unit tests see them. In the order of the way.
 */
export const recordPathBugs: readonly PlantedBug[] = [
  {
    name: 'streams: a return of a stream that has ended goes to the one after it',
    invariant: 'I6',
    file: 'packages/processor/src/ingest/ingest.ts',
    find: 'if (stream.ended) return;\n    stream.deferred',
    replace:
      'if (stream.ended) stream = this.#streams.get(stream.id.to.session, stream.id.to.shard) ?? stream;\n    stream.deferred',
    tests: [oldStreams],
  },
  {
    name: 'streams: one that is taken and brings nothing back is a way to its holder',
    invariant: 'I8',
    file: 'packages/engine/src/shard/unreached-holders.ts',
    find: 'if (this.#fruitless.has(key)) return false;',
    replace: '',
    tests: ['packages/testkit/src/unreached-holder.test.ts'],
  },
  {
    name: 'streams: what waits for a claim outlives its stream',
    invariant: 'I21',
    file: 'packages/processor/src/holder/waiting-records.ts',
    find: 'if (!ended.flights.some(({ waiting }) => waiting > 0)) return;',
    replace: 'if (ended.flights.length >= 0) return;',
    tests: ['packages/processor/src/holder/ended-streams.test.ts'],
  },
  {
    name: 'streams: what is being built of many partitions is sent at once, whatever may be in flight',
    invariant: 'I21',
    file: 'packages/processor/src/ingest/stream-table.ts',
    find: 'stream.unsettledBytes >= this.#limits.bytesInFlightMax',
    replace: 'stream.unsettled.length > 0 && stream.unsettledBytes >= this.#limits.bytesInFlightMax',
    tests: ['packages/processor/src/ingest/built-bytes.test.ts'],
  },
  {
    name: 'streams: one that comes from the shard itself is taken',
    invariant: 'I8',
    file: 'packages/engine/src/shard/incoming-streams.ts',
    find: 'from.session === to.session && from.shard === to.shard',
    replace: 'from.session < 0',
    tests: ['packages/testkit/src/incoming-streams.test.ts'],
  },
  {
    name: 'streams: a frame that can not be read ends the shard',
    invariant: 'I8',
    file: 'packages/engine/src/shard/incoming-streams.ts',
    find: 'faultOf(frame) ?? holder',
    replace: 'holder',
    tests: ['packages/testkit/src/incoming-streams.test.ts'],
  },
  {
    name: 'streams: a holder that has taken one counts as unreached until it returns something',
    invariant: 'I8',
    file: 'packages/engine/src/shard/stream-links.ts',
    find: 'link.accepted = this.#unreached.accepted(key);',
    replace: '',
    tests: ['packages/testkit/src/unreached-holder.test.ts'],
  },
  {
    name: 'closing: a unit stays closed for a session that is over',
    invariant: 'I8',
    file: 'packages/processor/src/holder/closing-units.ts',
    find: 'this.#leases.tableIndex() >= session && !this.#leases.isLive(session)',
    replace: 'session < 0',
    tests: [closing],
  },
  {
    name: 'closing: nothing but the move is ever proposed',
    invariant: 'I8',
    file: 'packages/processor/src/holder/closing-units.ts',
    find: 'unit.endAsks < this.#limits.moveAsksMax ? unit.moveTo : null',
    replace: 'unit.moveTo',
    tests: [closing],
  },
  {
    name: 'rows: one that came late has its unit dropped as if it were fenced',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.#rows.stale(row);',
    replace: 'const unit = this.#units.get(row.hi, row.lo);\n    if (unit !== null) this.#drop(unit);',
    tests: [lateAnswers],
  },
  {
    name: 'rounds: any row of a unit is enough',
    invariant: 'I6',
    file: 'packages/processor/src/holder/rounds.ts',
    find: 'unit.needVersion !== 0 && unit.savedVersion >= unit.needVersion',
    replace: 'unit.needVersion !== 0',
    tests: ['packages/processor/src/holder/rounds.test.ts'],
  },
  {
    name: 'generations: what waited for a row of the round that they void waits on',
    invariant: 'I8',
    file: 'packages/processor/src/holder/generation.ts',
    find: 'if (unit.paused) {',
    replace: 'if (unit.epoch < 0) {',
    tests: ['packages/processor/src/holder/generations.test.ts'],
  },
  {
    name: 'rows: the answer to one of an earlier lease counts for the present one',
    invariant: 'I6',
    file: 'packages/processor/src/holder/row-writer.ts',
    find: 'unit.epoch === row.epoch && unit.seq === row.seq',
    replace: 'unit.seq === row.seq',
    tests: [lateAnswers],
  },
  {
    name: 'claims: the answer to one of an earlier lease opens the unit',
    invariant: 'I7',
    file: 'packages/processor/src/holder/holder.ts',
    find: "unit.epoch !== claim.epoch || unit.phase !== 'claiming'",
    replace: "unit.phase !== 'claiming'",
    tests: [lateAnswers],
  },
  {
    name: 'job: ids of outputs are random',
    invariant: 'I5',
    file: 'packages/sdk/src/record-context.ts',
    find: 'return prefix + this.offset;',
    replace: 'return prefix + Math.random();',
    tests: [processor],
  },
  {
    name: 'job: a restored field is assigned, whatever its name does then',
    invariant: 'I9',
    file: 'packages/sdk/src/state-decoder.ts',
    find: "if (key === '__proto__') {",
    replace: 'if (key.length < 0) {',
    tests: [codec],
  },
  {
    name: 'job: a restored state lacks fields that are null',
    invariant: 'I23',
    file: 'packages/sdk/src/state-decoder.ts',
    find: 'setOwn(record, keys[i]!, this.#value(depth + 1));',
    replace:
      '{\n      const value = this.#value(depth + 1);\n      if (value !== null) setOwn(record, keys[i]!, value);\n    }',
    tests: [codec],
  },
  {
    name: 'commits: who may have lost its session commits',
    invariant: 'I6',
    file: 'packages/engine/src/shard/commit-loop.ts',
    find: ' || !this.#context.mayAct()',
    replace: '',
    tests: [idleCommits],
  },
  {
    name: 'embedded store: the epoch is ignored',
    invariant: 'I2',
    file: lmdb,
    find: 'const greater = ',
    replace: 'const greater = header.epoch > write.epoch || ',
    tests: [embedded],
  },
  {
    name: 'embedded store: an equal seq overwrites',
    invariant: 'I2',
    file: lmdb,
    find: 'header.seq < write.seq',
    replace: 'header.seq <= write.seq',
    tests: [embedded],
  },
  {
    name: 'embedded store: the seq before overwrites',
    invariant: 'I2',
    file: lmdb,
    find: 'header.seq < write.seq',
    replace: 'header.seq !== write.seq && header.seq - 1 <= write.seq',
    tests: [embedded],
  },
  {
    name: 'embedded store: the seq after is stale',
    invariant: 'I2',
    file: lmdb,
    find: 'header.seq < write.seq',
    replace: 'header.seq + 1 < write.seq',
    tests: [embedded],
  },
  {
    name: 'embedded store: buckets without a marker are passed over',
    invariant: 'I6',
    file: lmdb,
    find: 'marker?.offset ?? 0',
    replace: 'marker?.offset ?? least',
    tests: [embedded],
  },
  {
    name: 'embedded store: a claim keeps the row that it read before others wrote',
    invariant: 'I3',
    file: lmdb,
    find: 'header.epoch < claim.epoch ? raiseRow(stored, header, claim.epoch) : null',
    replace:
      '((claim as { early?: Buffer }).early ??= header.epoch < claim.epoch ? raiseRow(stored, header, claim.epoch) : undefined) ?? null',
    tests: [claims],
  },
  {
    name: 'embedded log: the position moves before its batch exists',
    invariant: 'I6',
    file: logReader,
    find: 'position += block.recordAt - before;',
    replace: 'this.#position = position += block.recordAt - before;',
    tests: [looks],
  },
  {
    name: 'embedded log: the cursor of a look that failed stays',
    invariant: 'I6',
    file: logReader,
    find: 'this.#block = null;\n      while',
    replace: 'while',
    tests: [looks],
  },
  {
    name: 'embedded gate: a write that it failed counts as one for ever',
    invariant: 'I8',
    file: 'packages/embedded/src/open-gate.ts',
    find: 'if (!mayWrite) this.leave();',
    replace: '',
    tests: ['packages/embedded/src/open-gate.test.ts'],
  },
  {
    name: 'holder: what was taken away is durable before the table shows the index of that end',
    invariant: 'I6',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.awaited.raise(this.#leases.uncleanIndex());\n    }\n    this.#rounds.dropped(unit);',
    replace: '}\n    this.#rounds.dropped(unit);',
    tests: [generationsTest],
  },
  {
    name: 'holder: vectors keep what markers vouch for',
    invariant: 'I21',
    file: 'packages/processor/src/holder/held-unit.ts',
    find: 'if (offsets[i]! < floorOf(slots[i]!)) continue;',
    replace: '',
    tests: [generationsTest],
  },
  {
    name: 'holder: users of another job are begun anew',
    invariant: 'I5',
    file: 'packages/processor/src/holder/unit-row.ts',
    find: 'if (other !== undefined) throw new OtherJobError(other.job, name);',
    replace: '',
    tests: [sealedTest],
  },
  {
    name: 'holder: a frame of a topic that the job does not read is taken',
    invariant: 'I8',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'const isRead = this.#inputs.includes(frame.topic);',
    replace: 'const isRead = this.#inputs.length > 0;',
    tests: [incomingTest],
  },
  {
    name: 'ingest: a topic that the job does not read is read',
    invariant: 'I8',
    file: 'packages/engine/src/shard/partition-loop.ts',
    find: 'if (!this.#context.options.job.inputs.includes(this.lease.topic)) return this.#standStill();',
    replace: '',
    tests: [stoppedTest],
  },
  {
    name: 'feed: what is known of a file stays as short as the file was at first',
    invariant: 'I6',
    file: 'packages/embedded/src/same-file.ts',
    find: '(await beginsSo(file, fingerprint)) ? longer : fingerprint',
    replace: 'longer.headBytes < 0 ? longer : fingerprint',
    tests: [feeds],
  },
  {
    name: 'feed: another file of the same name is fed as a whole by who wanted to go on',
    invariant: 'I6',
    file: 'packages/embedded/src/feed.ts',
    find: "if (whenComplete !== 'goOn')",
    replace: 'if (earlier.complete)',
    tests: [feeds],
  },
  {
    name: 'feed: any file that begins alike passes for the one that it replaced',
    invariant: 'I6',
    file: 'packages/embedded/src/same-file.ts',
    find: 'inode === fingerprint.inode || sum === (await sumOf(file, 0, bytes))',
    replace: 'inode.length > 0',
    tests: [feeds],
  },
  {
    name: 'embedded gate: an environment whose gate can not be used stays open',
    invariant: 'I8',
    file: 'packages/embedded/src/open-gate.ts',
    find: '} catch {\n      // No mark',
    replace: '} catch (error) {\n      throw error; // No mark',
    tests: ['packages/embedded/src/open-gate.test.ts'],
  },
  {
    name: 'embedded store: a row that can not be read hides all epochs',
    invariant: 'I8',
    file: lmdb,
    find: 'readHeader(stored, unit).epoch);',
    replace: 'storedRow(unit, stored).epoch);',
    tests: [embedded],
  },
  {
    name: 'feed: a run that was cut short takes what one before it fed for its own',
    invariant: 'I6',
    file: 'packages/embedded/src/feed.ts',
    find: 'earlier.run <= completeBefore',
    replace: 'earlier.run < completeBefore',
    tests: [feeds],
  },
];
