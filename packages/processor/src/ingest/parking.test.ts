import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import fc from 'fast-check';
import { Parking } from './parking.ts';
import { PartitionReading } from './partition-reading.ts';

const partitions = [0, 1].map(
  (partition) => new PartitionReading('t', { topicId: topicId('T'), partition }, partition, 1, 1, 0),
);
const record = fc.record({ unit: fc.nat(3), partition: fc.nat(1), offset: fc.nat(50) });

test('keeps the records of a unit in offset order within each partition, whatever the order they come back in', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(record, { selector: ({ partition, offset }) => `${partition}/${offset}` }),
      (records) => {
        const parking = new Parking();
        for (const { unit, partition, offset } of records) {
          const bytes = new Uint8Array(10);
          const parked = {
            partition: partitions[partition]!,
            offset,
            timeUnixMs: 0,
            bytes,
            keyLength: 4,
            hasValue: true,
          };
          parking.add(unit, 0, parked);
        }
        assert.equal(parking.count, records.length);
        assert.equal(parking.bytes, records.length * 10);
        for (const unit of parking) {
          for (const partition of partitions) {
            const offsets = unit.records.filter((r) => r.partition === partition).map((r) => r.offset);
            assert.deepEqual(
              offsets,
              [...offsets].sort((a, b) => a - b),
            );
          }
        }
        const least = Math.min(...records.filter((r) => r.partition === 0).map((r) => r.offset));
        assert.equal(parking.leastOffset(partitions[0]!), least);
        for (const partition of partitions) parking.dropPartition(partition);
        assert.deepEqual([parking.count, parking.bytes, parking.unitCount], [0, 0, 0]);
      },
    ),
  );
});
