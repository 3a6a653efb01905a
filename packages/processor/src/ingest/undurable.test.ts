import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { topicId } from '@holdfast/model';
import fc from 'fast-check';
import type { Frame } from '../frame.ts';
import type { Job, KeyLocator } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import type { RecordBatch } from '../record-batch.ts';
import { RecordBlockReader } from '../record-block.ts';
import { Ingest } from './ingest.ts';
import type { IngestStream } from './ingest-stream.ts';
import type { PartitionReading } from './partition-reading.ts';
import { locator, tableOfOne } from './test-table.test.ts';

const self = { session: 1 as never, shard: 0 as never };
const job = { name: 'j', version: '1' } as Job;

/** Records of one byte: the user. */
function batchOf(offset: number, users: readonly number[]): RecordBatch {
  const each = (of: (i: number) => number) => users.map((_, i) => of(i));
  return {
    count: users.length,
    bytes: Uint8Array.from(users),
    nextOffset: offset + users.length,
    offsets: Float64Array.from(each((i) => offset + i)),
    timestampsUnixMs: new Float64Array(users.length),
    keyStarts: Int32Array.from(each(() => -1)),
    keyEnds: Int32Array.from(each(() => -1)),
    valueStarts: Int32Array.from(each((i) => i)),
    valueEnds: Int32Array.from(each((i) => i + 1)),
  };
}

/** What was sent on one stream, and how far it came. */
interface Sent {
  readonly frames: { readonly frame: Frame; readonly offsets: readonly number[]; units: Uint32Array | null }[];
  applied: number;
  durable: number;
  refusals: number;
}

/** A record in the present reading: it is durable when all frames are that it was sent in, and it hasn't come back. */
interface Story {
  readonly frames: { readonly sent: Sent; readonly frame: number }[];
  isBack: boolean;
}

/** An ingest with two partitions and two holders, and beside it each record's own story. */
class Scene {
  readonly #marks = { uncleanCount: 0, index: 10, moved: 0 };
  readonly #ingest: Ingest;
  readonly #readings: PartitionReading[];
  /** Of each partition, by offset. */
  readonly #stories: Map<number, Story>[] = [new Map(), new Map()];
  readonly #numbers: number[];
  readonly #streams = new Map<IngestStream, Sent>();
  readonly #locator: KeyLocator;
  #nowMs = 0;

  constructor(undurableRunsMax: number) {
    const marks = this.#marks;
    const leases = {
      ...tableOfOne(2),
      tableIndex: () => marks.index,
      uncleanCount: () => marks.uncleanCount,
      lookup(_hi: number, lo: number) {
        this.session = 2 + ((lo + marks.moved) & 1);
        this.epoch = marks.index;
        return true;
      },
    };
    const limits = { ...defaultRecordLimits, frameRecordsMax: 3, undurableRunsMax };
    this.#ingest = new Ingest({ self, job, leases, deadLetterTopic: 'dead', limits });
    this.#readings = [0, 1].map(
      (partition) => this.#ingest.startPartition('t', { topicId: topicId('T'), partition }, 1, 0, 0)!,
    );
    this.#numbers = this.#readings.map(({ reading }) => reading);
    const own = { keyBytes: new Uint8Array(0), keyStart: 0, keyEnd: 0, reason: '' };
    this.#locator = Object.assign(own, {
      locate(bytes: Uint8Array, keyStart: number, keyEnd: number) {
        Object.assign(own, { keyBytes: bytes, keyStart, keyEnd });
        return 0 as const;
      },
    });
  }

  read(partition: number, users: readonly number[]): void {
    const reading = this.#readings[partition]!;
    this.#ingest.route(reading, reading.reading, batchOf(reading.position, users), 0, this.#locator, this.#nowMs);
    this.send();
  }

  send(): void {
    this.#nowMs += 1_000;
    for (const to of this.#ingest.takeWantedStreams()) {
      this.#streams.set(this.#ingest.openStream(to), { frames: [], applied: 0, durable: 0, refusals: 0 });
    }
    this.#ingest.retryParked(this.#nowMs);
    this.#ingest.flushAged(this.#nowMs, 0);
    this.#look();
  }

  #pick(which: number): [IngestStream, Sent] | undefined {
    return [...this.#streams][which % Math.max(1, this.#streams.size)];
  }

  refuse(which: number, of: number): void {
    const [stream, sent] = this.#pick(which) ?? [];
    if (stream === undefined || sent === undefined) return;
    const waiting = sent.frames.filter(({ frame, units }) => frame.number > sent.applied && units !== null);
    const flight = waiting[of % Math.max(1, waiting.length)];
    if (flight === undefined) return;
    const { frame, offsets, units } = flight;
    flight.units = null;
    const stories = this.#stories[frame.partition.partition]!;
    // What the ingest builds leaves ahead of the news.
    this.#ingest.flushAged(this.#nowMs, 0);
    this.#look();
    const isPresent = frame.reading === this.#readings[frame.partition.partition]!.reading;
    if (isPresent) for (const offset of offsets) stories.get(offset)!.isBack = true;
    const message = { kind: 'refused', number: ++sent.refusals, frame: frame.number, tableIndex: 10 } as const;
    this.#ingest.onReturn(stream, { ...message, units: units! }, this.#nowMs);
    this.#look();
  }

  apply(which: number, part: number): void {
    const [stream, sent] = this.#pick(which) ?? [];
    if (stream === undefined || sent === undefined) return;
    sent.applied += Math.ceil((stream.sent - sent.applied) * part);
    this.#ingest.onReturn(stream, { kind: 'applied', frame: sent.applied }, this.#nowMs);
    this.#look();
  }

  makeDurable(which: number, part: number): void {
    const [stream, sent] = this.#pick(which) ?? [];
    if (stream === undefined || sent === undefined) return;
    sent.durable += Math.ceil((sent.applied - sent.durable) * part);
    this.#ingest.onReturn(stream, { kind: 'durable', frame: sent.durable, tableIndex: 10 }, this.#nowMs);
    this.#look();
  }

  endStream(which: number): void {
    const [stream] = this.#pick(which) ?? [];
    if (stream === undefined) return;
    this.#ingest.onStreamEnd(stream);
    this.#streams.delete(stream);
    this.#look();
  }

  /** All users change places. */
  move(): void {
    this.#marks.moved++;
    this.#marks.index++;
    this.#ingest.onTableAdvanced(this.#nowMs);
    this.#look();
  }

  endUnclean(): void {
    this.#marks.uncleanCount++;
    this.#ingest.catchUp();
    this.#look();
  }

  /** Notes what has left, and forgets what was sent in a reading that is over, up to where the next one begins. */
  #look(): void {
    this.#readings.forEach((reading, partition) => {
      if (reading.reading === this.#numbers[partition]) return;
      this.#numbers[partition] = reading.reading;
      for (const offset of this.#stories[partition]!.keys()) {
        if (offset >= reading.position) this.#stories[partition]!.delete(offset);
      }
    });
    for (const [stream, sent] of this.#streams) {
      let bytes = 0;
      for (const { frame } of stream.unsettled) bytes += frame.block.length;
      for (const builder of stream.builders) bytes += builder?.block.length ?? 0;
      assert.equal(stream.unsettledBytes, bytes, 'what is sent and not settled, and what is being built');
      for (const frame of stream.outbox.splice(0)) {
        const units: number[] = [];
        const offsets: number[] = [];
        const records = new RecordBlockReader().open(frame.block, frame.baseOffset);
        while (records.next()) {
          units.push(records.hi, records.lo);
          offsets.push(records.offset);
        }
        sent.frames.push({ frame, offsets, units: Uint32Array.from(units) });
        const stories = this.#stories[frame.partition.partition]!;
        for (const offset of offsets) {
          const story = stories.get(offset) ?? { frames: [], isBack: false };
          story.frames.push({ sent, frame: frame.number });
          story.isBack = false;
          stories.set(offset, story);
        }
      }
    }
  }

  /** Of each partition: how far it is durable as the ingest has it, and as each record's own story tells. */
  watermarks(): { readonly joined: number; readonly each: number; readonly end: number }[] {
    return this.#readings.map((reading, partition) => {
      const isDurable = (offset: number): boolean => {
        const story = this.#stories[partition]!.get(offset);
        return story?.isBack === false && story.frames.every(({ sent, frame }) => frame <= sent.durable);
      };
      let each = 0;
      while (each < reading.position && isDurable(each)) each++;
      return { joined: this.#ingest.durableWatermark(reading), each, end: reading.position };
    });
  }

  /** All that waits is sent, applied, durable. */
  finish(): void {
    for (let i = 0; i < 3; i++) {
      this.send();
      for (let which = 0; which < 2; which++) this.apply(which, 1);
    }
    for (let which = 0; which < 2; which++) this.makeDurable(which, 1);
  }
}

const part = fc.constantFrom(0, 0.3, 0.7, 1);
const which = fc.nat(1);
const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(which, fc.array(fc.nat(9), { minLength: 1, maxLength: 8 })).map(
      ([partition, users]) =>
        (scene: Scene) =>
          scene.read(partition, users),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(which, part).map(
      ([of, much]) =>
        (scene: Scene) =>
          scene.apply(of, much),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(which, part).map(
      ([of, much]) =>
        (scene: Scene) =>
          scene.makeDurable(of, much),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(which, fc.nat(9)).map(
      ([of, frame]) =>
        (scene: Scene) =>
          scene.refuse(of, frame),
    ),
  },
  { weight: 2, arbitrary: fc.constant((scene: Scene) => scene.send()) },
  { weight: 1, arbitrary: which.map((of) => (scene: Scene) => scene.endStream(of)) },
  { weight: 1, arbitrary: fc.constant((scene: Scene) => scene.endUnclean()) },
  { weight: 1, arbitrary: fc.constant((scene: Scene) => scene.move()) },
);

test('whatever is settled, refused, lost or gone back for: what is joined says nothing durable that isn’t', () => {
  const runsMax = fc.constantFrom(2, 5, Number.POSITIVE_INFINITY);
  fc.assert(
    fc.property(runsMax, fc.array(act, { maxLength: 80, size: 'max' }), (undurableRunsMax, acts) => {
      const scene = new Scene(undurableRunsMax);
      for (const step of acts) {
        step(scene);
        for (const { joined, each } of scene.watermarks()) {
          assert.ok(joined <= each, `durable up to ${joined}, not ${each}`);
          if (undurableRunsMax === Number.POSITIVE_INFINITY) assert.equal(joined, each);
        }
      }
      scene.finish();
      for (const { joined, end } of scene.watermarks()) assert.equal(joined, end);
    }),
    { numRuns: 300 },
  );
});

test('what was sent in a reading that is over holds nothing back, whether it was settled before its end or is later', () => {
  for (const settledBefore of [true, false]) {
    const scene = new Scene(defaultRecordLimits.undurableRunsMax);
    scene.read(0, [1]);
    scene.send();
    if (settledBefore) scene.apply(0, 1);
    scene.endUnclean();
    scene.move();
    scene.read(0, [1]);
    scene.send();
    if (!settledBefore) scene.apply(0, 1);
    scene.apply(1, 1);
    assert.equal(scene.watermarks()[0]!.joined, 0);
    scene.makeDurable(1, 1);
    assert.equal(scene.watermarks()[0]!.joined, 1);
  }
});

test('frames that are applied and not durable cost no more memory the longer the store is away', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const ingest = new Ingest({ self, job, leases: tableOfOne(2), deadLetterTopic: 'dead' });
  const reading = ingest.startPartition('t', { topicId: topicId('T'), partition: 0 }, 1, 0, 0)!;
  const stream = ingest.openStream({ session: 2 as never, shard: 0 as never });
  const heapAfter = (frames: number): number => {
    for (let i = 0; i < frames; i++) {
      assert.equal(ingest.route(reading, reading.reading, batchOf(reading.position, [65]), 0, locator, 0), 1);
      ingest.flushAged(1, 0);
      stream.outbox.length = 0;
      ingest.onReturn(stream, { kind: 'applied', frame: stream.sent }, 1);
    }
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = heapAfter(5_000);
  // 4 MiB, if each were kept.
  assert.ok(heapAfter(20_000) - before < 1024 * 1024);
  assert.equal(ingest.durableWatermark(reading), 0);
  ingest.onReturn(stream, { kind: 'durable', frame: stream.sent, tableIndex: 10 }, 1);
  assert.equal(ingest.durableWatermark(reading), reading.position);
});
