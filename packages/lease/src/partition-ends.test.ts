import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteFormatError, ByteWriter, topicId } from '@holdfast/model';
import fc from 'fast-check';
import { partitionsPerTopicMax } from './limits.ts';
import { PartitionEnds } from './partition-ends.ts';

const topics = ['in', 'a longer one', 'ä'].map(topicId);
const end = fc.record({
  topicId: fc.constantFrom(...topics),
  partition: fc.oneof(fc.nat(5), fc.nat(partitionsPerTopicMax + 10)),
  offset: fc.oneof(fc.nat(300), fc.maxSafeNat()),
});

test('ends are what a map of them says, whatever their order, and equal ones are equal bytes', () => {
  fc.assert(
    fc.property(fc.array(end), fc.infiniteStream(fc.nat()), (ends, order) => {
      const known = new Map<string, number>();
      const key = (id: string, partition: number) => `${id}/${partition}`;
      for (const { topicId, partition, offset } of ends)
        if (partition < partitionsPerTopicMax) known.set(key(topicId, partition), offset);
      const packed = PartitionEnds.of(ends);
      const list = packed.list();
      assert.deepEqual(new Map(list.map((each) => [key(each.topicId, each.partition), each.offset])), known);
      for (const { topicId, partition } of ends)
        assert.equal(packed.offsetOf({ topicId, partition }), known.get(key(topicId, partition)) ?? 0);
      assert.equal(packed.offsetOf({ topicId: topicId('other'), partition: 0 }), 0);
      assert.equal(
        packed.offsetOf({ topicId: topics[0]!, partition: partitionsPerTopicMax - 1 }),
        known.get(key('in', partitionsPerTopicMax - 1)) ?? 0,
      );
      const shuffled = list.map((each) => [order.next().value!, each] as const).sort(([a], [b]) => a - b);
      const same = PartitionEnds.of(shuffled.map(([, each]) => each));
      assert.ok(same.equals(packed) && packed.equals(PartitionEnds.from(packed.bytes)));
      const [first, ...others] = list;
      if (first === undefined) return;
      assert.ok(!packed.equals(PartitionEnds.of(others)));
      assert.ok(!packed.equals(PartitionEnds.of([{ ...first, offset: first.offset === 0 ? 1 : 0 }, ...others])));
    }),
  );
});

test('a thousand partitions take a few bytes each', () => {
  const ends = Array.from({ length: 1_000 }, (_, partition) => ({
    topicId: topics[0]!,
    partition,
    offset: 123_456_789,
  }));
  assert.equal(PartitionEnds.of(ends).bytes.length, 1 + 3 + 2 + 1_000 * 5);
});

test('bytes that it can not have made are refused', () => {
  const whole = PartitionEnds.of([{ topicId: topics[0]!, partition: 3, offset: 500 }]).bytes;
  const wrong = [
    whole.slice(0, -1),
    new Uint8Array([...whole, 0]),
    new ByteWriter().varint(1).text('in').varint(1).varint(partitionsPerTopicMax).varint(0).finish(),
    new Uint8Array(),
  ];
  for (const bytes of wrong) assert.throws(() => PartitionEnds.from(bytes), ByteFormatError);
});
