import { bucketCount, bucketOf, type PartitionId, topicId, type Unit } from '@holdfast/model';
import fc from 'fast-check';

export const historyPartitions: readonly PartitionId[] = [
  { topicId: topicId('t1'), partition: 0 },
  { topicId: topicId('t1'), partition: 1 },
];
/** Two units share a bucket. */
export const historyUnits: readonly Unit[] = [
  { hi: 1, lo: 5 },
  { hi: 2, lo: 5 },
  { hi: 0xffffffff, lo: 0xffffffff },
];

/** Which generation a call names: the present one, or one of those before it, counted round; the present one while there is none. */
interface Call {
  readonly former: number | null;
}

/** What happens to a store. Units and partitions by their place in the lists above. */
export type HistoryStep =
  | (Call & { readonly kind: 'claim'; readonly claims: readonly { unit: number; epoch: number }[] })
  | (Call & {
      readonly kind: 'backup';
      readonly rows: readonly { unit: number; epoch: number; seq: number; row: Uint8Array }[];
    })
  | (Call & { readonly kind: 'mark'; readonly marks: readonly { unit: number; partition: number; offset: number }[] })
  /** All buckets but one, or really all: without such marks the least marker is 0 for ever. */
  | (Call & {
      readonly kind: 'markAll';
      readonly partition: number;
      readonly offset: number;
      readonly but: number | null;
    })
  | (Call & { readonly kind: 'leastMarker'; readonly partition: number })
  | { readonly kind: 'lose' | 'remember' | 'loseSince' | 'reopen' | 'check' };

const former = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(7) });
const unit = fc.nat(historyUnits.length - 1);
const partition = fc.nat(historyPartitions.length - 1);
const epoch = fc.integer({ min: 1, max: 4 });
const row = fc.uint8Array({ maxLength: 40 });
const offset = fc.nat(9);
/** The first and the last are where a loop over all of them ends too early. */
const bucket = fc.constantFrom(0, 1, bucketCount - 1, ...historyUnits.map(({ hi, lo }) => bucketOf(hi, lo)));

const claim = fc.record({
  kind: fc.constant('claim' as const),
  former,
  claims: fc.array(fc.record({ unit, epoch }), { maxLength: 4 }),
});
const backup = fc.record({
  kind: fc.constant('backup' as const),
  former,
  rows: fc.array(fc.record({ unit, epoch, seq: fc.nat(3), row }), { maxLength: 4 }),
});
const mark = fc.record({
  kind: fc.constant('mark' as const),
  former,
  marks: fc.array(fc.record({ unit, partition, offset }), { maxLength: 4 }),
});
const markAll = fc.record({
  kind: fc.constant('markAll' as const),
  former,
  partition,
  offset,
  but: fc.oneof(fc.constant(null), bucket, bucket),
});
const leastMarker = fc.record({ kind: fc.constant('leastMarker' as const), former, partition });
const event = fc.record({
  kind: fc.constantFrom(
    ...(['lose', 'lose', 'remember', 'remember', 'remember', 'loseSince', 'loseSince', 'reopen', 'check'] as const),
  ),
});

const step: fc.Arbitrary<HistoryStep> = fc.oneof(
  { weight: 8, arbitrary: claim },
  { weight: 12, arbitrary: backup },
  { weight: 6, arbitrary: mark },
  { weight: 3, arbitrary: markAll },
  { weight: 2, arbitrary: leastMarker },
  { weight: 7, arbitrary: event },
);

/** Of any length up to that: fast-check's own choice ends at a dozen, where little has come after a loss. */
export const storeHistories = fc.array(step, { minLength: 1, maxLength: 25, size: 'medium' });
