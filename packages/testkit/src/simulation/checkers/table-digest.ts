import type { LeaseTable, ProcessCrash, QuarantinedUnit } from '@holdfast/lease';

/**
 * Everything in a table, without the order in which it came there where that means nothing: equal texts are equal states.
 * @param generations of stores, each that may be a former one: a table doesn't tell those that it remembers
 */
export function tableDigest(table: LeaseTable, generations: Iterable<string>): string {
  let units = 0;
  let sum = 0;
  table.visitUnits((hi, lo, session, shard, grantIndex) => {
    units++;
    let hash = Math.imul(hi ^ 0x9e3779b9, 0x85ebca6b) ^ lo;
    for (const value of [session, shard, grantIndex]) {
      hash = Math.imul(hash ^ value ^ (hash >>> 15), 0xc2b2ae35);
      hash ^= hash >>> 13;
    }
    sum = (sum + hash) | 0;
  });
  const sessions = [...table.sessions()].map(
    ({ session, nodeId, uuid, counter, shards, closing, addresses, version }) =>
      `${session}:${nodeId}:${uuid}:${counter}:${shards}:${closing}:${addresses.join('+')}:${version}`,
  );
  const nodes = [...table.nodes()].map(
    ({ nodeId, uuid, counter, session, draining }) => `${nodeId}:${uuid}:${counter}:${session}:${draining}`,
  );
  const topics = [...table.topics()].map(({ topic, topicId, partitions, startPartitions }) => {
    const leases = table
      .partitionLeases(topicId)
      .map((lease) => (lease === null ? '-' : `${lease.session}.${lease.shard}.${lease.epoch}`));
    return `${topic}:${topicId}:${partitions}:${startPartitions}:${leases.join(',')}`;
  });
  const { quarantine, tableIndex, epochBase, uncleanCount, uncleanIndex, forcedCount } = table;
  const { generation, generationIndex, storeGeneration, quarantineIndex } = table;
  const counts = [tableIndex, epochBase, uncleanCount, uncleanIndex, forcedCount, quarantineIndex];
  const marks = [...counts, generation, generationIndex, storeGeneration];
  const former = [...generations].filter((each) => table.isFormerGeneration(each));
  return [
    marks.join(' '),
    former.sort().join(' '),
    units,
    sum,
    sessions.sort().join(' '),
    nodes.sort().join(' '),
    topics.sort().join(' '),
    // In their order: the oldest are the first to be forgotten.
    quarantine.crashes.map(crashText).join(' '),
    quarantine.units.map(quarantinedText).join(' '),
  ].join('|');
}

function crashText(crash: ProcessCrash): string {
  const { topicId, partition, nodeId, counter } = crash;
  const at = crash.kind === 'unitCrashed' ? `${crash.hi}.${crash.lo}@${crash.offset}` : `${crash.first}-${crash.last}`;
  return `${nodeId}#${counter}:${topicId}/${partition}/${at}`;
}

function quarantinedText({ hi, lo, before }: QuarantinedUnit): string {
  const ends = before?.list().map(({ topicId, partition, offset }) => `${topicId}/${partition}/${offset}`);
  return `${hi}.${lo}:${ends?.join(',') ?? 'all'}`;
}
