import type { SessionId } from '@holdfast/model';
import type { PartitionRegistry } from './partition-registry.ts';
import { type EndedSession, outcomeOf, type PartitionChange, type ReplayOutcome } from './replay-outcome.ts';
import type { TableParts } from './table-parts.ts';

/** What the control thread has to act on when a snapshot took the place of a state. */
export function differenceOf(old: TableParts, now: TableParts): ReplayOutcome {
  const opened = [...now.sessions.sessions()].filter((info) => !old.sessions.session(info.session));
  const closing: SessionId[] = [];
  for (const { session, closing: closes } of now.sessions.sessions()) {
    if (closes && old.sessions.session(session)?.closing === false) closing.push(session);
  }
  const ended: EndedSession[] = [];
  for (const { session, nodeId } of old.sessions.sessions()) {
    // How it ended isn't known any more; the unclean count tells whether ingests have to go back.
    if (!now.sessions.session(session)) ended.push({ session, nodeId, reason: 'gone', units: 0 });
  }
  const topics = [...now.partitions.topics()].filter(
    ({ topicId, partitions }) => old.partitions.topic(topicId)?.partitions !== partitions,
  );
  const topicsRemoved = [...old.partitions.topics()].map((t) => t.topicId).filter((id) => !now.partitions.topic(id));
  return outcomeOf({
    opened,
    closing,
    ended,
    topics,
    topicsRemoved,
    partitions: partitionDifference(old.partitions, now.partitions),
    unclean: now.marks.uncleanCount !== old.marks.uncleanCount,
    generation: now.marks.generation === old.marks.generation ? 0 : now.marks.generation,
    quarantine: now.marks.quarantineIndex !== old.marks.quarantineIndex,
  });
}

function partitionDifference(old: PartitionRegistry, now: PartitionRegistry): PartitionChange[] {
  const changes: PartitionChange[] = [];
  const ids = new Set([...old.topics(), ...now.topics()].map((topic) => topic.topicId));
  for (const topicId of ids) {
    const count = Math.max(old.leases(topicId).length, now.leases(topicId).length);
    for (let partition = 0; partition < count; partition++) {
      const from = old.lease(topicId, partition) ?? null;
      const to = now.lease(topicId, partition) ?? null;
      if (from?.epoch !== to?.epoch) changes.push({ topicId, partition, from, to });
    }
  }
  return changes;
}
