import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnit, type PartitionId, type ShardRef, topicId, unitHashOut } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import { type CrashNotes, noCrashNotes } from '../crash-notes.ts';
import type { Frame } from '../frame.ts';
import { tableOfOne } from '../ingest/test-table.test.ts';
import type { Job } from '../job.ts';
import { RecordBlockWriter } from '../record-block.ts';
import { Holder } from './holder.ts';
import type { HolderStream } from './holder-stream.ts';

const self: ShardRef = { session: 7 as never, shard: 0 as never };
const partition: PartitionId = { topicId: topicId('in'), partition: 3 };
const deadLetterTopic = 'dead';
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

interface Sum {
  seen: string;
}

/** Puts the values of a user's records together; `die` as a value ends the process. */
const joining: Job<Sum> = {
  name: 'join',
  version: '1',
  inputs: ['in'],
  outputs: [],
  idleMs: 1_000,
  failureReason: '',
  newKeyLocator: () => assert.fail(),
  initialState: () => ({ seen: '' }),
  encodeState: ({ seen }) => bytesOf(seen),
  decodeState: (bytes) => ({ seen: Buffer.from(bytes).toString() }),
  apply: (state, _key, { bytes, valueStart, valueEnd }) => {
    const value = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString();
    if (value === 'die') throw new Error('this process has ended');
    state.seen += value;
    return 'applied';
  },
  view: (state) => state.seen,
};

/** A holder that has every unit, one stream to it, and a table of which only the index of quarantine matters. */
class Scene {
  quarantineIndex = 0;
  readonly counters = new RecordCounters();
  readonly holder: Holder;
  readonly stream: HolderStream;
  #frames = 0;

  constructor(crashNotes: CrashNotes = noCrashNotes) {
    const leases = { ...tableOfOne(self.session), quarantineIndex: () => this.quarantineIndex };
    const { counters } = this;
    this.holder = new Holder({ self, job: joining as Job, leases, deadLetterTopic, counters, crashNotes });
    const from = { session: 8 as never, shard: 0 as never };
    this.stream = this.holder.openStream({ from, to: self, incarnation: 1 })!;
  }

  /** A frame with these values of these users, from an offset on. */
  send(offset: number, records: readonly (readonly [user: string, value: string])[]): void {
    const block = new RecordBlockWriter();
    for (const [n, [user, value]] of records.entries()) {
      const bytes = bytesOf(user + value);
      hashUnit(bytes, 0, user.length);
      const { hi, lo } = unitHashOut;
      block.append(hi, lo, offset + n, 1, bytes, 0, user.length, bytes, user.length, bytes.length);
    }
    const frame: Frame = {
      number: ++this.#frames,
      tableIndex: 10,
      reading: 1,
      refusalSeen: 0,
      topic: 'in',
      partition,
      durableWatermark: 0,
      baseOffset: block.baseOffset,
      baseTimeUnixMs: block.baseTimeUnixMs,
      count: block.count,
      block: block.finish(),
    };
    this.holder.onFrame(this.stream, frame, 1);
  }

  open(): number {
    const claims = this.holder.takeClaims(100);
    for (const claim of claims) this.holder.onClaimed(claim, null, [], 1);
    return claims.length;
  }

  /** Key and value of each dead letter, and where it was. */
  letters(): string[] {
    const outputs = this.holder.outputs.take(100);
    assert.ok(outputs.every(({ topic, headers }) => topic === deadLetterTopic && headers.reason === 'quarantined'));
    return outputs.map(({ key, value, headers }) => `${text(key)}:${text(value)}@${headers.offset}`);
  }
}

const text = (bytes: Uint8Array | null): string => Buffer.from(bytes!).toString();

function unitOf(user: string): { readonly hi: number; readonly lo: number } {
  hashUnit(bytesOf(user), 0, user.length);
  return { hi: unitHashOut.hi, lo: unitHashOut.lo };
}

test('each record of a quarantined unit is one dead letter, before its row is written, and the job sees none of them', () => {
  const scene = new Scene();
  const { holder, counters } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  holder.quarantine.set([{ ...unitOf('a'), before: null }], 0);
  scene.send(11, [
    ['a', 'die'],
    ['b', 'y'],
    ['a', 'z'],
  ]);
  scene.open();
  scene.send(11, [['a', 'die']]);
  assert.deepEqual(scene.letters(), ['a:die@11', 'a:z@13']);
  const { recordsApplied, recordsDead, recordsQuarantined, recordsDuplicate } = counters;
  assert.deepEqual([recordsApplied, recordsDead, recordsQuarantined, recordsDuplicate], [2, 2, 2, 1]);
  holder.beginRound();
  const written = () => holder.takeRows(10, 1).map(({ hi }) => hi);
  assert.deepEqual(written(), [unitOf('b').hi], 'its letters are not in the log yet');
  holder.onOutputsAcked(2, 1);
  assert.deepEqual(written(), [unitOf('a').hi]);
});

test('a unit that was released has what came before its release buried, and the rest applied', () => {
  const scene = new Scene();
  scene.holder.quarantine.set([{ ...unitOf('a'), before: [{ ...partition, offset: 12 }] }], 0);
  scene.send(10, [
    ['a', 'die'],
    ['a', 'x'],
    ['a', 'y'],
  ]);
  scene.open();
  assert.deepEqual(scene.letters(), ['a:die@10', 'a:x@11']);
  assert.equal(scene.counters.recordsApplied, 1);
});

test('nothing is claimed before the quarantine is known as it was at the grants', () => {
  const scene = new Scene();
  scene.quarantineIndex = 9;
  scene.send(10, [['a', 'die']]);
  assert.deepEqual([scene.holder.claimsQueued, scene.open()], [0, 0]);
  scene.holder.quarantine.set([{ ...unitOf('a'), before: null }], 9);
  assert.deepEqual([scene.holder.claimsQueued, scene.open()], [1, 1]);
  assert.deepEqual(scene.letters(), ['a:die@10']);
});

/** Writes the notes down, as they come. */
class Notebook implements CrashNotes {
  lines: string[] = [];
  suspects = (_first: number, _last: number): boolean => false;

  frame({ partition: number }: PartitionId, first: number, last: number): void {
    this.lines.push(`${number}/${first}-${last}`);
  }

  record(hi: number, _lo: number, { partition: number }: PartitionId, offset: number): void {
    this.lines.push(`${hi} ${number}/${offset}`);
  }

  clear(): void {
    this.lines.push('-');
  }

  isSuspect(_partition: PartitionId, first: number, last: number): boolean {
    return this.suspects(first, last);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

test('a frame is noted once, under suspicion each of its records, and those that waited one by one', () => {
  const notes = new Notebook();
  const scene = new Scene(notes);
  const { hi } = unitOf('a');
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
  ]);
  assert.deepEqual(notes.take(), [], 'they wait for their unit');
  scene.open();
  assert.deepEqual(notes.take(), [`${hi} 3/10`, `${hi} 3/11`, '-']);
  const three = [
    ['a', 'x'],
    ['a', 'y'],
    ['a', 'z'],
  ] as const;
  scene.send(20, three);
  assert.deepEqual(notes.take(), ['3/20-22', '-']);
  notes.suspects = (first, last) => first <= 31 && last >= 31;
  scene.send(30, three);
  assert.deepEqual(notes.take(), [`${hi} 3/30`, `${hi} 3/31`, `${hi} 3/32`, '-']);
  scene.send(30, three);
  scene.holder.quarantine.set([{ ...unitOf('a'), before: null }], 0);
  scene.send(40, three);
  assert.deepEqual(notes.take(), [], 'of duplicates and quarantined records the job sees nothing');
});

test('the note stands when the process ends in the job', () => {
  const notes = new Notebook();
  const scene = new Scene(notes);
  scene.send(10, [['a', 'x']]);
  scene.open();
  notes.take();
  assert.throws(() => scene.send(11, [['a', 'die']]));
  assert.deepEqual(notes.take(), ['3/11-11']);
});
