import type { PlantedBug } from './planted-tests.ts';

const idleMarks = 'packages/testkit/src/idle-marks.test.ts';
const startOffset = 'packages/testkit/src/start-offset.test.ts';
const retentionGap = 'packages/testkit/src/retention-gap.test.ts';
const startPartitions = 'packages/lease/src/start-partitions.test.ts';
const listed = 'packages/stream-kafka/src/listed-offsets.test.ts';

/** Bugs of where reading begins, and of the markers by which a recovery finds that; unit tests see them. */
export const startBugs: readonly PlantedBug[] = [
  {
    name: 'start: reading begins before the table shows what its start rests on',
    invariant: 'I7',
    file: 'packages/engine/src/shard/partition-loop.ts',
    find: 'await this.#catchUp();',
    replace: '',
    tests: ['packages/testkit/src/table-barrier.test.ts'],
  },
  {
    name: 'start: the ends of a topic are asked for after its offsets at a time',
    invariant: 'I6',
    file: 'packages/stream-kafka/src/listed-offsets.ts',
    find: '  const ends = await listed(latest);\n  const found = await listed(timestampUnixMs);',
    replace: '  const found = await listed(timestampUnixMs);\n  const ends = await listed(latest);',
    tests: [listed],
  },
  {
    name: 'start: partitions that a topic gets later were there',
    invariant: 'I6',
    file: 'packages/lease/src/replay.ts',
    find: 'sameId?.startPartitions ?? (',
    replace: '(sameId !== undefined || ',
    tests: [startPartitions],
  },
  {
    name: 'start: partitions of a topic that takes the place of another were there',
    invariant: 'I6',
    file: 'packages/lease/src/replay.ts',
    find: 'const isFirst = sameName === undefined && ',
    replace: 'const isFirst = ',
    tests: [startPartitions],
  },
  {
    name: 'start: a cluster on a store that has been used takes all partitions for new',
    invariant: 'I6',
    file: 'packages/lease/src/replay.ts',
    find: ' && marks.epochBase <= 0;',
    replace: ';',
    tests: [startPartitions],
  },
  {
    name: 'start: a snapshot forgets which partitions were there',
    invariant: 'I23',
    file: 'packages/lease/src/table-snapshot.ts',
    find: 'version > formatWithoutStarts ? head.varint() : 0;',
    replace: 'version > formatWithoutStarts ? head.varint() * 0 : 0;',
    tests: [startPartitions],
  },
  {
    name: 'start: a partition that came later begins at its end',
    invariant: 'I6',
    file: 'packages/engine/src/shard/start-offset.ts',
    find: ' && lease.wasThere',
    replace: '',
    tests: [startOffset],
  },
  {
    name: 'start: where the job began is forgotten with the generation of the store',
    invariant: 'I6',
    file: 'packages/engine/src/shard/beginning.ts',
    find: 'if (claim.row !== null) return',
    replace: 'if (claim.row !== null && isFirst) return',
    tests: [startOffset],
  },
  {
    name: 'start: a row that an earlier try wrote counts as the one that was meant',
    invariant: 'I6',
    file: 'packages/engine/src/shard/beginning.ts',
    find: "return result?.code === 'OK' ? ownStart() : null;",
    replace: "return result?.code === 'OK' ? start : null;",
    tests: [startOffset],
  },
  {
    name: 'start: who leaves nothing out does not say where it began',
    invariant: 'I6',
    file: 'packages/engine/src/shard/beginning.ts',
    find: "if (startPosition === 'earliest') return 0;",
    replace: "if (startPosition === 'earliest' || !isFirst) return 0;",
    tests: [startOffset],
  },
  {
    name: 'start: where the job began may be gone from the log',
    invariant: 'I8',
    file: 'packages/engine/src/shard/start-offset.ts',
    find: 'return Math.max(begun, firstKept!);',
    replace: 'return begun > 0 ? begun : firstKept!;',
    tests: [startOffset],
  },
  {
    name: 'start: what the log no longer has is passed over though the markers end before it',
    invariant: 'I6',
    file: 'packages/engine/src/shard/start-offset.ts',
    find: 'return marker !== undefined && marker >= firstKept! ? marker : null;',
    replace: 'return marker !== undefined && marker > position ? Math.max(marker, firstKept!) : null;',
    tests: [startOffset, retentionGap],
  },
  {
    name: 'start: a partition stands before a gap of the log though the markers cover it',
    invariant: 'I8',
    file: 'packages/engine/src/shard/partition-loop.ts',
    find: 'if (isGone && (await this.#leaveGap(reading, stale))) return null;',
    replace: 'if (isGone && stale()) return null;',
    tests: [retentionGap],
  },
  {
    name: 'markers: who has no rounds marks no buckets',
    invariant: 'I8',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: 'const isQuiet = !holder.roundActive &&',
    replace: 'const isQuiet = holder.roundActive &&',
    tests: [idleMarks],
  },
  {
    name: 'markers: each bucket is marked again and again though nothing has moved',
    invariant: 'I8',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: 'if (known.length === 0 || !hasMoved) return false;',
    replace: 'if (known.length === 0) return false;',
    tests: [idleMarks],
  },
];
