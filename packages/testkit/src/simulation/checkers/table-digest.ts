import type { LeaseTable } from '@holdfast/lease';

/** Everything in a table, without the order in which it came there: equal texts are equal states. */
export function tableDigest(table: LeaseTable): string {
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
    ({ session, nodeId, uuid, counter, shards, closing, addresses }) =>
      `${session}:${nodeId}:${uuid}:${counter}:${shards}:${closing}:${addresses.join('+')}`,
  );
  const nodes = [...table.nodes()].map(
    ({ nodeId, uuid, counter, session, draining }) => `${nodeId}:${uuid}:${counter}:${session}:${draining}`,
  );
  const topics = [...table.topics()].map(({ topic, topicId, partitions }) => {
    const leases = table
      .partitionLeases(topicId)
      .map((lease) => (lease === null ? '-' : `${lease.session}.${lease.shard}.${lease.epoch}`));
    return `${topic}:${topicId}:${partitions}:${leases.join(',')}`;
  });
  const { tableIndex, epochBase, uncleanCount, forcedCount, generation, generationIndex, storeGeneration } = table;
  const marks = [tableIndex, epochBase, uncleanCount, forcedCount, generation, generationIndex, storeGeneration];
  return [marks.join(' '), units, sum, sessions.sort().join(' '), nodes.sort().join(' '), topics.sort().join(' ')].join(
    '|',
  );
}
