import type { LeaseTable } from '@holdfast/lease';
import type { NodeId, SessionId } from '@holdfast/model';
import type { DirectoryEntry, LeasedPartition } from '../shard-messages.ts';
import type { SessionOpenRequest } from './calls.ts';

/**
 * The live session that this very process has opened; 0 when there is none. Two copies of one data folder may have the
 * same start counter. A process never asks under one counter with other addresses: its shards listen once, and new
 * shards have a new counter. Two hosts with all addresses alike can't be told apart, nor both be reached.
 */
export function sessionOpenedBy(
  table: LeaseTable,
  nodeId: NodeId,
  { uuid, counter, addresses }: Pick<SessionOpenRequest, 'uuid' | 'counter' | 'addresses'>,
): SessionId {
  const known = table.node(nodeId);
  const info = known && table.session(known.session);
  const isOwn = info?.uuid === uuid && info.counter === counter;
  const isAlike = info?.addresses.length === addresses.length && info.addresses.every((a, i) => a === addresses[i]);
  return isOwn && isAlike ? info.session : (0 as SessionId);
}

/** Where the shards of all live sessions listen. An incarnation's first address is its node's own. */
export function directoryOf(table: LeaseTable): DirectoryEntry[] {
  return [...table.sessions()].map(({ session, nodeId, addresses, closing }) => ({
    session,
    nodeId,
    closing,
    shardAddresses: addresses.slice(1),
  }));
}

/** The partitions leased to each shard of a session, by shard index. */
export function partitionsOf(table: LeaseTable, session: SessionId, shards: number): LeasedPartition[][] {
  const lists: LeasedPartition[][] = Array.from({ length: shards }, () => []);
  for (const { topic, topicId, startPartitions } of table.topics()) {
    for (const [partition, lease] of table.partitionLeases(topicId).entries()) {
      if (lease?.session !== session) continue;
      const wasThere = partition < startPartitions;
      lists[lease.shard]?.push({ topic, topicId, partition, epoch: lease.epoch, wasThere });
    }
  }
  return lists;
}
