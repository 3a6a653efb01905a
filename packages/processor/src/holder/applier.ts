import { bucketOf, compareBytes, copyBytes, type PartitionId } from '@holdfast/model';
import type { RecordCounters } from '../counters.ts';
import type { CrashNotes } from '../crash-notes.ts';
import type { Frame } from '../frame.ts';
import { type Job, type JobRecord, StateFaultError, StopWantedError, type Verdict } from '../job.ts';
import type { Quarantine } from '../quarantine.ts';
import type { FaultyUnits } from './faulty-units.ts';
import type { HeldUnit, HeldUser } from './held-unit.ts';
import type { MarkerBook } from './marker-book.ts';
import { NoteTaker } from './note-taker.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { readState } from './unit-row.ts';

/** Reason of the dead letters of a quarantined unit. */
export const quarantinedReason = 'quarantined';
/** Of the dead letter of a user's first record, where the job has no state to begin with. */
export const noStateReason = 'no-initial-state';

export interface ApplierParts {
  readonly job: Job;
  readonly markers: MarkerBook;
  readonly outputs: OutputBuffer;
  readonly deadLetterTopic: string;
  readonly counters: RecordCounters;
  readonly quarantine: Quarantine;
  readonly crashNotes: CrashNotes;
  readonly faulty: FaultyUnits;
}

/** Before the names of a record's own headers, in its dead letter. */
export const ownHeaderPrefix = 'header.';

/**
 * Headers of a dead letter: where it came from and why.
 * @param keyIs whose key the dead letter has: its record's own, or that of the user, under which the holder has it
 */
export function deadLetterHeaders(
  job: Job,
  topic: string,
  partition: number,
  offset: number,
  reason: string,
  keyIs: 'record' | 'user',
): Record<string, string> {
  return {
    id: `${job.name}/${job.version}/${topic}/${partition}/${offset}/dead`,
    reason,
    job: job.name,
    version: job.version,
    topic,
    partition: String(partition),
    offset: String(offset),
    'key-is': keyIs,
  };
}

/**
 * Applies one record to the state of its unit: drops what the vector already has (PROTOCOL.md 4.5), finds the user,
 * calls the job, advances the vector. The only place where states change.
 */
export class Applier {
  readonly #job: Job;
  readonly #showsEpoch: boolean;
  readonly #markers: MarkerBook;
  readonly #outputs: OutputBuffer;
  readonly #deadLetterTopic: string;
  readonly #counters: RecordCounters;
  readonly #quarantine: Quarantine;
  readonly #notes: NoteTaker;
  readonly #faulty: FaultyUnits;
  readonly #record: JobRecord = {
    topic: '',
    partition: 0,
    offset: 0,
    timestampUnixMs: Number.NaN,
    bytes: new Uint8Array(0),
    valueStart: 0,
    valueEnd: 0,
  };

  constructor({ job, markers, outputs, deadLetterTopic, counters, quarantine, crashNotes, faulty }: ApplierParts) {
    this.#job = job;
    this.#showsEpoch = job.leaseEpoch !== undefined;
    this.#markers = markers;
    this.#outputs = outputs;
    this.#deadLetterTopic = deadLetterTopic;
    this.#counters = counters;
    this.#quarantine = quarantine;
    this.#notes = new NoteTaker(crashNotes);
    this.#faulty = faulty;
  }

  /** What is applied next, until `end`, are records of this frame. */
  begin(frame: Frame): void {
    this.#notes.begin(frame);
  }

  /** Called after records of a frame, and after any others. */
  end(): void {
    this.#notes.end();
  }

  /** True when the unit's row has changed. `bytes` holds key and value at the given places. */
  apply(
    unit: HeldUnit,
    slot: number,
    topic: string,
    partition: PartitionId,
    offset: number,
    timeUnixMs: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): boolean {
    const floor = Math.max(this.#markers.floor(bucketOf(unit.hi, unit.lo), slot), unit.floors?.[slot] ?? 0);
    if (offset < floor || offset <= unit.appliedOffset(slot)) {
      this.#counters.recordsDuplicate++;
      return false;
    }
    if (this.#quarantine.has(unit.hi, unit.lo, partition, offset)) {
      unit.setApplied(slot, offset);
      const [key, value] = [copyBytes(bytes, keyStart, keyEnd), valueIn(bytes, valueStart, valueEnd)];
      this.#bury(unit, topic, partition.partition, offset, quarantinedReason, key, value);
      this.#counters.recordsQuarantined++;
      return true;
    }
    this.#notes.before(unit.hi, unit.lo, partition, offset);
    const record = this.#record;
    record.topic = topic;
    record.partition = partition.partition;
    record.offset = offset;
    record.timestampUnixMs = timeUnixMs;
    record.bytes = bytes;
    record.valueStart = valueStart;
    record.valueEnd = valueEnd;
    const known = this.#find(unit, bytes, keyStart, keyEnd);
    const user = known ?? this.#newUser(copyBytes(bytes, keyStart, keyEnd));
    if (user === null) {
      unit.setApplied(slot, offset);
      const [key, value] = [copyBytes(bytes, keyStart, keyEnd), valueIn(bytes, valueStart, valueEnd)];
      this.#bury(unit, topic, partition.partition, offset, noStateReason, key, value);
      return true;
    }
    if (!user.decoded && !this.#isReadable(unit, user)) return true;
    const mark = this.#outputs.emitted;
    const verdict = this.#call(unit, user);
    if (verdict === 'faulty') return true;
    unit.setApplied(slot, offset);
    if (verdict === 'skipped') {
      // Skipping again after a replay gives the same answer, so the row need not remember it.
      this.#outputs.takeBack(mark);
      this.#counters.recordsSkipped++;
      return false;
    }
    if (verdict === 'dead') {
      this.#outputs.takeBack(mark);
      const value = valueIn(bytes, valueStart, valueEnd);
      this.#bury(unit, topic, partition.partition, offset, this.#job.failureReason, user.key, value);
      return true;
    }
    if (known === null) unit.users.push(user);
    user.bytes = null;
    this.#counters.recordsApplied++;
    if (this.#outputs.emitted !== mark) {
      unit.lastOutput = this.#outputs.emitted;
      this.#counters.outputsEmitted += this.#outputs.emitted - mark;
    }
    return true;
  }

  /** The record becomes a dead letter; its unit's next row waits for it (PROTOCOL.md 5.3). */
  #bury(
    unit: HeldUnit,
    topic: string,
    partition: number,
    offset: number,
    reason: string,
    key: Uint8Array,
    value: Uint8Array | null,
  ): void {
    const headers = deadLetterHeaders(this.#job, topic, partition, offset, reason, 'user');
    this.#outputs.publish(this.#deadLetterTopic, key, value, headers);
    this.#counters.recordsDead++;
    unit.lastOutput = this.#outputs.emitted;
    this.#counters.outputsEmitted++;
  }

  #call(unit: HeldUnit, user: HeldUser): Verdict | 'faulty' {
    if (this.#showsEpoch) this.#job.leaseEpoch = unit.epoch;
    try {
      return this.#job.apply(user.state, user.key, this.#record, this.#outputs);
    } catch (error) {
      // What else comes out of a job is a bug of ours: at a record that ends every process, it is the record that costs them.
      if (error instanceof StopWantedError) this.#notes.end();
      if (!(error instanceof StateFaultError)) {
        // No row of what it may have left, before this shard has ended.
        unit.phase = 'faulty';
        throw error;
      }
      this.#addFaulty(unit, error);
      return 'faulty';
    }
  }

  /** @throws Error when there are too many: it is the job's doing or its version's, and not this record's. */
  #addFaulty(unit: HeldUnit, problem: unknown): void {
    try {
      this.#faulty.add(unit, problem);
    } catch (tooMany) {
      this.#notes.end();
      throw tooMany;
    }
  }

  /** False when its bytes can't be read: the unit counts as changed, and is faulty. */
  #isReadable(unit: HeldUnit, user: HeldUser): boolean {
    try {
      readState(user, this.#job);
      return true;
    } catch (error) {
      this.#addFaulty(unit, error);
      return false;
    }
  }

  /** Null when the job throws. */
  #newUser(key: Uint8Array): HeldUser | null {
    try {
      return { key, job: this.#job.name, state: this.#job.initialState(key), bytes: null, decoded: true };
    } catch {
      return null;
    }
  }

  #find(unit: HeldUnit, bytes: Uint8Array, start: number, end: number): HeldUser | null {
    for (const user of unit.users) {
      const key = user.key;
      if (key.length !== end - start || user.job !== this.#job.name) continue;
      let i = 0;
      while (i < key.length && key[i] === bytes[start + i]) i++;
      if (i === key.length) return user;
    }
    return null;
  }
}

/** The user of a unit by key bytes. */
export function findUser(unit: HeldUnit, key: Uint8Array): HeldUser | null {
  return unit.users.find((user) => compareBytes(user.key, key) === 0) ?? null;
}

/** A copy; null: the record has none. */
function valueIn(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return start < 0 ? null : copyBytes(bytes, start, end);
}
