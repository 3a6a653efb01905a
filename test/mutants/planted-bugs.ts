import { plantedAnswerBugs } from './planted-answer-bugs.ts';
import { plantedMarkerBugs } from './planted-marker-bugs.ts';

/** A small change to the shipped sources that breaks a rule; a simulation has to see it. */
export interface PlantedBug {
  readonly name: string;
  /** Rule of PROTOCOL.md, or invariant, that it breaks. */
  readonly rule: string;
  /** Path below `packages`. */
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The profile of the simulation that has to see it; none: any of the record path. */
  readonly profile?: string;
  /** A history that has shown what few do: looked at first. */
  readonly seenAt?: readonly [profile: string, seed: number];
  /** How the failure's text begins, up to its colon: which checkers may be the first to see it, and no others. */
  readonly caughtBy: readonly string[];
}

const ingest = 'processor/src/ingest/ingest.ts';
const readings = 'processor/src/ingest/readings.ts';
const ingestStream = 'processor/src/ingest/ingest-stream.ts';
const parking = 'processor/src/ingest/parking.ts';
const holder = 'processor/src/holder/holder.ts';
const closingUnits = 'processor/src/holder/closing-units.ts';
const generation = 'processor/src/holder/generation.ts';
const waitingRecords = 'processor/src/holder/waiting-records.ts';
const rounds = 'processor/src/holder/rounds.ts';
const unitRow = 'processor/src/holder/unit-row.ts';
const applier = 'processor/src/holder/applier.ts';
const replay = 'lease/src/replay.ts';

/** In the order of the rules. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'a grant over a live lease',
    rule: '2.1',
    file: replay,
    find: ' || slots.find(hi, lo) >= 0) continue;',
    replace: ') continue;',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'an end by release while the unit is open',
    rule: '2.2',
    file: holder,
    find: "if (unit.phase !== 'open' && unit.phase !== 'claiming') return false;",
    replace: "if (unit.phase === 'faulty') return false;",
    caughtBy: ['I6 lease end', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'a unit that was to move opens again while its move may still take effect',
    rule: '2.2',
    file: closingUnits,
    find: 'this.#leases.tableIndex() >= session && !this.#leases.isLive(session)',
    replace: 'session > 0',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a move is proposed before the last row is accepted',
    rule: '2.2',
    file: closingUnits,
    find: 'if (unit.dirty || unit.flyingVersion >= 0) this.#rounds.hurry(unit);\n    else if (this.#rounds.isPublished(unit))',
    replace: 'if (unit.lastUsedMs >= 0)',
    caughtBy: ['I6 lease end', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'a lease that was never claimed is written when the store has lost something',
    rule: '5.8',
    file: generation,
    find: 'if (unit.rowless) continue;',
    replace: '',
    caughtBy: ['I8 stall'],
  },
  {
    name: 'the end of a session counts as clean',
    rule: '2.3',
    file: replay,
    find: "if (reason !== 'clean') this.#raiseUnclean(index);",
    replace: '',
    seenAt: ['focus', 2307],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a force-release counts as clean',
    rule: '2.3',
    file: replay,
    find: "this.#raiseUnclean(index);\n    this.#history?.left('forced'",
    replace: "this.#history?.left('forced'",
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a force-release is not noticed by the holder',
    rule: '2.3',
    file: holder,
    find: 'if (forced === this.#forcedSeen) return;',
    replace: 'return;',
    seenAt: ['mixed', 4402],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'no going back',
    rule: '3.2',
    file: readings,
    find: 'for (const reading of this.#partitions.values()) this.goBack(reading);',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'routing does not look for ends',
    rule: '3.2',
    file: ingest,
    find: 'this.catchUp();\n    return !reading.lost',
    replace: 'return !reading.lost',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'parked records are forgotten by the watermark',
    rule: '3.3',
    file: readings,
    find: 'least = Math.min(least, this.#parking.leastOffset(reading));',
    replace: '',
    caughtBy: ['ASSERT', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'records under construction are forgotten by the watermark',
    rule: '3.3',
    file: ingestStream,
    find: 'if (builder !== undefined && builder.count > 0 && builder.firstOffset < least) least = builder.firstOffset;',
    replace: '',
    caughtBy: ['ASSERT', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'dead letters are durable at once',
    rule: '3.3',
    file: readings,
    find: 'for (const { offset } of reading.deadLetters) if (offset < least) least = offset;',
    replace: '',
    caughtBy: ['I6 commit'],
  },
  {
    name: 'routing to a new holder before frames to the old one are settled',
    rule: '4.1',
    file: ingestStream,
    find: 'if (sent.current && sent.filter.mayHave(lo) && hasUnit(sent.units, sent.frame.count, hi, lo)) return true;',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'routing to a new holder before frames under construction for the old one are settled',
    rule: '4.1',
    file: ingestStream,
    find: 'for (const builder of this.builders) if (builder?.hasUnit(hi, lo)) return true;',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'the end of a stream sends nothing back',
    rule: '4.1',
    file: ingest,
    find: 'this.#readings.goBack(reading);',
    replace: 'void reading;',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'refused records of an older reading come back',
    rule: '4.1',
    file: ingest,
    find: 'if (sent === undefined || !sent.current) return;',
    replace: 'if (sent === undefined) return;',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'accepting without the index check',
    rule: '4.2',
    file: holder,
    find: 'unit.epoch - this.#leases.epochBase() <= frame.tableIndex &&',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'frames do not wait for the table',
    rule: '4.2',
    file: holder,
    find: 'frame.tableIndex > this.#leases.tableIndex() ||',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'frames from before a generation entry are accepted',
    rule: '4.2',
    file: waitingRecords,
    find: 'if (frame.tableIndex < this.#leases.generationIndex()) return true;',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'records that waited for a claim are not looked at again',
    rule: '4.2',
    file: waitingRecords,
    find: "if (refusing.has(stream) || unit.phase === 'faulty' || this.overtaken(stream, unit, frame)) {",
    replace: 'if (unit.epoch < 0) {',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a refusal is not remembered',
    rule: '4.3',
    file: waitingRecords,
    find: 'stream.refusedUnits.last(unit.hi, unit.lo) > frame.refusalSeen',
    replace: 'false',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'refused units are sent again before all is settled',
    rule: '4.3',
    file: ingest,
    find: 'stream.holds.hold(units, stream.sent);',
    replace: ';',
    caughtBy: ['I7 gap', 'I8 stall'],
  },
  {
    name: 'a frame under construction carries the news of a refusal',
    rule: '4.3',
    file: ingest,
    find: 'for (const builder of stream.builders) if (builder !== undefined) this.#framer.flush(builder);\n    stream.refusalSeen',
    replace: 'stream.refusalSeen',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'refused records are parked behind later ones',
    rule: '4.3',
    file: parking,
    find: 'if (records[i]!.partition === record.partition) at = i;',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'the last record applied is applied again',
    rule: '4.5',
    file: applier,
    find: 'offset <= unit.appliedOffset(slot)',
    replace: 'offset < unit.appliedOffset(slot)',
    caughtBy: ['I7 twice'],
  },
  {
    name: 'a dropped duplicate is reported durable at once',
    rule: '4.5',
    file: holder,
    find: 'if (changed) this.#rounds.changed(unit, nowMs);',
    replace:
      "if (changed) this.#rounds.changed(unit, nowMs);\n      else if (frame.count === 1 && stream.reported === frame.number - 1) {\n        stream.settle();\n        stream.reported = frame.number;\n        stream.returns.push({ kind: 'durable', frame: frame.number, tableIndex: this.#leases.tableIndex() });\n      }",
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'rows without a vector',
    rule: '5.1',
    file: unitRow,
    find: 'for (const { partition, offset } of vector) unit.setApplied(partitions.slot(partition), offset);',
    replace: '',
    caughtBy: ['I7 twice'],
  },
  {
    name: 'a row before its outputs',
    rule: '5.3',
    file: rounds,
    find: 'unit.flyingVersion >= 0 || unit.lastOutput > this.#outputs.acked',
    replace: 'unit.flyingVersion >= 0',
    caughtBy: ['P6 row'],
  },
  {
    name: 'a round reports what was settled at its end',
    rule: '5.4',
    file: rounds,
    find: "stream.reported = frame;\n      stream.returns.push({ kind: 'durable', frame, tableIndex });",
    replace:
      "stream.reported = stream.settled;\n      stream.returns.push({ kind: 'durable', frame: stream.settled, tableIndex });",
    caughtBy: ['I6 commit'],
  },
  {
    name: 'a fenced holder reports at once',
    rule: '5.4',
    file: holder,
    find: '|| !this.awaited.isReached(tableIndex)) return null',
    replace: ') return null',
    seenAt: ['mixed', 5500],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'reports do not wait for the table',
    rule: '5.5',
    file: ingest,
    find: "if (message.kind !== 'applied' && message.tableIndex > this.#leases.tableIndex()) return;",
    replace: '',
    seenAt: ['focus', 4987],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a report counts before going back',
    rule: '5.5',
    file: ingest,
    find: "this.catchUp();\n        if (message.kind === 'refused')",
    replace: "if (message.kind === 'refused')",
    profile: 'forced',
    seenAt: ['forced', 139],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  ...plantedAnswerBugs,
  ...plantedMarkerBugs,
];
