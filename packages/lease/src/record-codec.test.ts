import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteFormatError } from '@holdfast/model';
import fc from 'fast-check';
import { decodeRecords, encodeRecords } from './record-codec.ts';
import type { LeaseRecord } from './records.ts';

const number = fc.maxSafeNat();
const small = fc.nat(1023);
const text = fc.string({ unit: 'grapheme' });
const half = fc.integer({ min: 0, max: 0xffff_ffff });
const batch = fc.array(fc.tuple(half, half, number), { maxLength: 50 }).map((list) => ({
  units: Uint32Array.from(list.flatMap(([hi, lo]) => [hi, lo] as const)),
  epochs: Float64Array.from(list.map(([, , epoch]) => epoch)),
}));

const record = fc.oneof(
  fc.record({ kind: fc.constant('epochBase'), base: number }),
  fc.record({
    kind: fc.constant('sessionOpened'),
    nodeId: text,
    uuid: text,
    counter: number,
    shards: small,
    addresses: fc.array(text, { maxLength: 20 }),
    version: text,
  }),
  fc.record({ kind: fc.constant('sessionClosing'), session: number }),
  fc.record({
    kind: fc.constant('sessionEnded'),
    session: number,
    reason: fc.constantFrom('clean', 'expired', 'gone', 'superseded'),
  }),
  fc.tuple(number, small, batch).map(([session, shard, { units }]) => ({ kind: 'granted', session, shard, units })),
  batch.map(({ units, epochs }) => ({ kind: 'released', units, epochs })),
  fc.tuple(number, small, batch).map(([toSession, toShard, { units, epochs }]) => ({
    kind: 'moved',
    units,
    fromEpochs: epochs,
    toSession,
    toShard,
  })),
  fc.record({ kind: fc.constant('forceReleased'), hi: half, lo: half, epoch: number }),
  fc.record({ kind: fc.constant('topicSet'), topic: text, topicId: text, partitions: number }),
  fc.record({ kind: fc.constant('topicRemoved'), topicId: text }),
  fc.record({
    kind: fc.constant('partitionGranted'),
    topicId: text,
    partition: number,
    session: number,
    shard: small,
    fromEpoch: number,
  }),
  fc.record({ kind: fc.constant('partitionReleased'), topicId: text, partition: number, epoch: number }),
  fc.record({ kind: fc.constant('generationChanged'), storeGeneration: text, number, continues: fc.boolean() }),
  fc.record({ kind: fc.constant('nodeForgotten'), nodeId: text }),
  fc.record({ kind: fc.constant('nodeDraining'), nodeId: text, draining: fc.boolean() }),
  fc.record({
    kind: fc.constant('unitCrashed'),
    hi: half,
    lo: half,
    topicId: text,
    partition: number,
    offset: number,
    nodeId: text,
    counter: number,
  }),
  fc.record({
    kind: fc.constant('frameCrashed'),
    topicId: text,
    partition: number,
    first: number,
    last: number,
    nodeId: text,
    counter: number,
  }),
  fc.record({ kind: fc.constant('unitQuarantined'), hi: half, lo: half }),
  fc.record({
    kind: fc.constant('quarantineLifted'),
    hi: half,
    lo: half,
    before: fc.array(fc.record({ topicId: text, partition: number, offset: number }, { noNullPrototype: true }), {
      maxLength: 4,
    }),
  }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<LeaseRecord>;

const plain = (records: readonly LeaseRecord[]) => records.map((r) => ({ ...r }));

describe('lease records', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (records) => {
        assert.deepEqual(plain(decodeRecords(encodeRecords(records))), plain(records));
      }),
      { numRuns: 300 },
    );
  });

  it('cut short or followed by more are refused', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), fc.nat(), (records, n) => {
        const bytes = encodeRecords(records);
        assert.throws(() => decodeRecords(bytes.slice(0, n % bytes.length)), ByteFormatError);
        assert.throws(() => decodeRecords(Uint8Array.of(...bytes, 0)), ByteFormatError);
      }),
      { numRuns: 200 },
    );
  });

  it('are of format 1, which every version reads, unless a store does not continue the one before', () => {
    const record = { kind: 'generationChanged', storeGeneration: 'x', number: 2, continues: true } as const;
    const [old, newer] = [encodeRecords([record]), encodeRecords([{ ...record, continues: false }])];
    assert.deepEqual([old[0], newer[0], newer.length - old.length], [1, 2, 1]);
  });

  it('of random bytes are refused with a format error, or are records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(17), (bytes, kind) => {
        const input = Uint8Array.of(1, 1, kind, ...bytes);
        try {
          assert.ok(Array.isArray(decodeRecords(input)));
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of a thousand units take 8 bytes a unit', () => {
    const units = new Uint32Array(2000);
    const bytes = encodeRecords([{ kind: 'granted', session: 5 as never, shard: 1 as never, units }]);
    assert.ok(bytes.length <= 8 * 1000 + 16);
  });
});
