import type { SessionId, ShardIndex } from '@holdfast/model';
import { decided, type LeaseCommand, type LeaseDecision, refused } from './commands.ts';
import type { LeaseTable } from './lease-table.ts';
import type { LeaseOptions } from './options.ts';
import { balancingMove, type HeldPartition, leastReader, type ReaderShard } from './partition-balance.ts';
import type { Proposals } from './proposals.ts';
import type { LeaseRecord, PartitionGranted } from './records.ts';
import type { PartitionLease } from './replay-outcome.ts';

interface HeldLease extends HeldPartition {
  readonly lease: PartitionLease;
}

/** Each move costs a re-read: a few per second for a node that drains and isn't in a hurry. */
const drainMoveIntervalMs = 250;
const noEpoch = 0 as PartitionGranted['fromEpoch'];

/**
 * Gives partitions out to shards (PROTOCOL.md 2.4): those without a reader at once, then one move at a time:
 * away from sessions that close or nodes that drain, or from the fullest shard to the emptiest.
 */
export class PartitionAssigner {
  readonly #table: LeaseTable;
  readonly #proposals: Proposals;
  readonly #options: LeaseOptions;
  /** until when a session that gave a partition up is the last choice */
  readonly #backoffUntilMs = new Map<SessionId, number>();
  #movedAtMs = Number.NEGATIVE_INFINITY;

  constructor(table: LeaseTable, proposals: Proposals, options: LeaseOptions) {
    this.#table = table;
    this.#proposals = proposals;
    this.#options = options;
  }

  giveUp(command: Extract<LeaseCommand, { kind: 'releasePartition' }>, nowMs: number): LeaseDecision {
    const { session, topicId, partition, epoch } = command;
    const lease = this.#table.partitionLease(topicId, partition);
    if (!lease || lease.session !== session || lease.epoch !== epoch) return refused({ code: 'NOT_LEASED' });
    this.#backoffUntilMs.set(session, nowMs + this.#options.partitionBackoffMs);
    if (this.#proposals.partition(topicId, partition) !== undefined) return decided([]);
    return decided([{ kind: 'partitionReleased', topicId, partition, epoch }]);
  }

  /** Records for one entry. */
  plan(nowMs: number, balancingPaused: boolean, mayReceive: (session: SessionId) => boolean): LeaseRecord[] {
    const shards = this.#readers(nowMs, mayReceive);
    if (shards.length === 0) return [];
    const { free, held } = this.#survey(shards);
    const records: LeaseRecord[] = free.map(({ topicId, partition }) => {
      const to = leastReader(shards);
      to.count++;
      const { session, shard } = to;
      return { kind: 'partitionGranted', topicId, partition, session, shard, fromEpoch: noEpoch };
    });
    const move = this.#proposals.partitionMoves > 0 ? null : this.#nextMove(held, shards, nowMs, balancingPaused);
    if (move !== null) records.push(move);
    return records;
  }

  #nextMove(held: HeldLease[], shards: ReaderShard[], nowMs: number, balancingPaused: boolean): LeaseRecord | null {
    const closing = held.find(({ session }) => this.#table.session(session)?.closing === true);
    // Without an interval: its shards have stopped reading, so that what is left there stands still.
    if (closing !== undefined) return moveRecord(closing, leastReader(shards));
    const draining = held.find(({ session }) => this.#table.isDraining(session));
    if (draining !== undefined) {
      if (nowMs - this.#movedAtMs < drainMoveIntervalMs) return null;
      this.#movedAtMs = nowMs;
      return moveRecord(draining, leastReader(shards));
    }
    if (balancingPaused || nowMs - this.#movedAtMs < this.#options.partitionMoveIntervalMs) return null;
    const ready = new Set(shards.map(({ session }) => session));
    const move = balancingMove(
      held.filter(({ session }) => ready.has(session)),
      shards,
    );
    if (move === null) return null;
    this.#movedAtMs = nowMs;
    return moveRecord(move.partition as HeldLease, move.to);
  }

  #readers(nowMs: number, mayReceive: (session: SessionId) => boolean): ReaderShard[] {
    const readers: ReaderShard[] = [];
    for (const { session, nodeId, shards } of this.#table.sessions()) {
      if (!mayReceive(session)) continue;
      const backingOff = nowMs < (this.#backoffUntilMs.get(session) ?? nowMs);
      for (let i = 0; i < shards; i++) {
        readers.push({ session, shard: i as ShardIndex, nodeId, backingOff, count: 0 });
      }
    }
    return readers;
  }

  /** Partitions without a reader and with one; raises the readers' counts, for those in flight too. */
  #survey(shards: ReaderShard[]): {
    free: { topicId: HeldPartition['topicId']; partition: number }[];
    held: HeldLease[];
  } {
    const byRef = new Map(shards.map((shard) => [`${shard.session}/${shard.shard}`, shard]));
    const free = [];
    const held: HeldLease[] = [];
    for (const { topicId } of this.#table.topics()) {
      for (const [partition, lease] of this.#table.partitionLeases(topicId).entries()) {
        const inFlight = this.#proposals.partition(topicId, partition);
        const reader = inFlight ?? lease;
        const counted = reader === null ? undefined : byRef.get(`${reader.session}/${reader.shard}`);
        if (counted !== undefined) counted.count++;
        if (inFlight !== undefined) continue;
        if (lease === null) free.push({ topicId, partition });
        else held.push({ topicId, partition, session: lease.session, shard: lease.shard, lease });
      }
    }
    return { free, held };
  }
}

function moveRecord({ topicId, partition, lease }: HeldLease, to: ReaderShard): LeaseRecord {
  const { session, shard } = to;
  return { kind: 'partitionGranted', topicId, partition, session, shard, fromEpoch: lease.epoch };
}
