import { assert, type LeaseEpoch, type SessionId, type ShardIndex, type TopicId } from '@holdfast/model';
import type { HolderHistory } from './holder-history.ts';
import {
  addressesMax,
  formerGenerationsMax,
  partitionsPerTopicMax,
  shardsMax,
  shardsPerSessionMax,
  unitsHardMax,
} from './limits.ts';
import type {
  ForceReleased,
  GenerationChanged,
  Granted,
  LeaseRecord,
  Moved,
  NodeDraining,
  NodeForgotten,
  PartitionGranted,
  PartitionReleased,
  Released,
  SessionEnded,
  SessionEndReason,
  SessionOpened,
  TopicSet,
} from './records.ts';
import {
  type EndedSession,
  outcomeOf,
  type PartitionChange,
  type ReplayOutcome,
  unitsOutcome,
  voidOutcome,
} from './replay-outcome.ts';
import { headerAt, storePair } from './table-layout.ts';
import type { TableParts } from './table-parts.ts';

/**
 * The one place where leases begin and end: applies committed records to the parts of a table. Total and
 * deterministic: a record that can't be, or not any more, is void, by rules that look at replicated state only.
 */
export class Replay {
  readonly #parts: TableParts;
  readonly #history: HolderHistory | null;
  /** Index of the latest entry that granted something, and of the latest that then ended something. */
  #grantedIndex = 0;
  #grantsOverIndex = 0;

  constructor(parts: TableParts, history: HolderHistory | null) {
    this.#parts = parts;
    this.#history = history;
  }

  apply(record: LeaseRecord, index: number): ReplayOutcome {
    assert(index > this.#parts.marks.tableIndex, `replay of ${index} after ${this.#parts.marks.tableIndex}`);
    switch (record.kind) {
      case 'epochBase':
        return this.#replayEpochBase(record.base);
      case 'sessionOpened':
        return this.#replaySessionOpened(record, index);
      case 'sessionClosing':
        return this.#replaySessionClosing(record.session);
      case 'sessionEnded':
        return this.#replaySessionEnded(record, index);
      case 'granted':
        return this.#replayGranted(record, index);
      case 'released':
        return this.#replayReleased(record, index);
      case 'moved':
        return this.#replayMoved(record, index);
      case 'forceReleased':
        return this.#replayForceReleased(record, index);
      case 'topicSet':
        return this.#replayTopicSet(record, index);
      case 'topicRemoved':
        return this.#replayTopicRemoved(record.topicId, index);
      case 'partitionGranted':
        return this.#replayPartitionGranted(record, index);
      case 'partitionReleased':
        return this.#replayPartitionReleased(record, index);
      case 'generationChanged':
        return this.#replayGenerationChanged(record, index);
      case 'nodeForgotten':
        return this.#replayNodeForgotten(record);
      case 'nodeDraining':
        return this.#replayNodeDraining(record);
      case 'unitCrashed':
      case 'frameCrashed':
        return this.#parts.quarantine.addCrash(record) ? outcomeOf({}) : voidOutcome;
      case 'unitQuarantined':
        return this.#quarantineChanged(this.#parts.quarantine.quarantine(record.hi, record.lo), index);
      case 'quarantineLifted':
        return this.#quarantineChanged(this.#parts.quarantine.release(record.hi, record.lo, record.before), index);
    }
  }

  #replayEpochBase(base: number): ReplayOutcome {
    const { marks, slots } = this.#parts;
    if (marks.epochBase >= 0) return voidOutcome;
    marks.epochBase = base;
    storePair(slots.words, headerAt.epochBasePair, base);
    return outcomeOf({});
  }

  #replaySessionOpened(record: SessionOpened, index: number): ReplayOutcome {
    const { marks, sessions, slots } = this.#parts;
    const { nodeId, shards, addresses, counter } = record;
    const known = sessions.node(nodeId);
    const knownShards = known === undefined ? 0 : (sessions.session(known.session)?.shards ?? 0);
    const impossible =
      marks.epochBase < 0 ||
      shards < 1 ||
      shards > shardsPerSessionMax ||
      addresses.length > addressesMax ||
      sessions.shardCount - knownShards + shards > shardsMax ||
      sessions.session(index as SessionId) !== undefined;
    if (impossible) return voidOutcome;
    if (known !== undefined && (known.uuid !== record.uuid || known.counter >= counter)) return voidOutcome;
    const ended: EndedSession[] = [];
    const partitions: PartitionChange[] = [];
    if (known !== undefined && known.session !== 0) {
      this.#endSession(known.session, 'superseded', index, ended, partitions);
    }
    const info = sessions.open(index as SessionId, record);
    this.#history?.sessionOpened(index, nodeId);
    slots.addSession(index, shards);
    return outcomeOf({ opened: [info], ended, partitions, unclean: ended.length > 0 });
  }

  #replaySessionClosing(session: SessionId): ReplayOutcome {
    const { sessions } = this.#parts;
    const info = sessions.session(session);
    if (info === undefined || info.closing) return voidOutcome;
    sessions.close(session);
    return outcomeOf({ closing: [session] });
  }

  #replaySessionEnded(record: SessionEnded, index: number): ReplayOutcome {
    if (this.#parts.sessions.session(record.session) === undefined) return voidOutcome;
    const ended: EndedSession[] = [];
    const partitions: PartitionChange[] = [];
    this.#endSession(record.session, record.reason, index, ended, partitions);
    return outcomeOf({ ended, partitions, unclean: record.reason !== 'clean' });
  }

  #endSession(
    session: SessionId,
    reason: SessionEndReason,
    index: number,
    ended: EndedSession[],
    partitions: PartitionChange[],
  ): void {
    const parts = this.#parts;
    const { nodeId } = parts.sessions.session(session)!;
    this.#noteEnd(index);
    // The count first: a shard that finds a unit free has to know already that it may have to go back.
    if (reason !== 'clean') this.#raiseUnclean(index);
    const units = parts.slots.endSession(session);
    parts.sessions.end(session);
    partitions.push(...parts.partitions.endSession(session));
    ended.push({ session, nodeId, reason, units });
    this.#history?.sessionEnded(session, nodeId, reason, index);
  }

  #replayGranted(record: Granted, index: number): ReplayOutcome {
    const { slots } = this.#parts;
    const units = record.units;
    const count = units.length >>> 1;
    const holder = this.#holderFor(record.session, record.shard, count, index);
    if (holder === 0) return unitsOutcome(0, count);
    let granted = 0;
    for (let i = 0; i < count; i++) {
      const hi = units[2 * i]!;
      const lo = units[2 * i + 1]!;
      if (slots.unitCount >= unitsHardMax || slots.find(hi, lo) >= 0) continue;
      slots.put(hi, lo, holder, index);
      this.#history?.note('granted', hi, lo, record.session, record.shard, index);
      granted++;
    }
    if (granted > 0) this.#grantedIndex = index;
    return unitsOutcome(granted, count - granted);
  }

  #replayReleased(record: Released, index: number): ReplayOutcome {
    const { slots } = this.#parts;
    const { units, epochs } = record;
    let released = 0;
    for (let i = 0; i < epochs.length; i++) {
      const slot = this.#findLease(units[2 * i]!, units[2 * i + 1]!, epochs[i]!, index);
      if (slot < 0) continue;
      this.#history?.left('released', units[2 * i]!, units[2 * i + 1]!, index);
      slots.remove(slot);
      released++;
    }
    return unitsOutcome(released, epochs.length - released);
  }

  #replayMoved(record: Moved, index: number): ReplayOutcome {
    const { slots } = this.#parts;
    const { units, fromEpochs } = record;
    const count = fromEpochs.length;
    const holder = this.#holderFor(record.toSession, record.toShard, count, index);
    if (holder === 0) return unitsOutcome(0, count);
    let moved = 0;
    for (let i = 0; i < count; i++) {
      const hi = units[2 * i]!;
      const lo = units[2 * i + 1]!;
      if (this.#findLease(hi, lo, fromEpochs[i]!, index) < 0) continue;
      slots.put(hi, lo, holder, index);
      this.#history?.note('moved', hi, lo, record.toSession, record.toShard, index);
      moved++;
    }
    if (moved > 0) this.#grantedIndex = index;
    return unitsOutcome(moved, count - moved);
  }

  #replayForceReleased(record: ForceReleased, index: number): ReplayOutcome {
    const { marks, slots } = this.#parts;
    const slot = this.#findLease(record.hi, record.lo, record.epoch, index);
    if (slot < 0) return unitsOutcome(0, 1);
    this.#raiseUnclean(index);
    this.#history?.left('forced', record.hi, record.lo, index);
    slots.remove(slot);
    // Last: whoever sees the count looks once, and has to see the lease gone and the index of its end.
    marks.forcedCount++;
    Atomics.store(slots.words, headerAt.forcedCount, marks.forcedCount);
    return outcomeOf({ unitsChanged: 1, unclean: true });
  }

  #replayTopicSet(record: TopicSet, index: number): ReplayOutcome {
    const { partitions: registry, marks } = this.#parts;
    const { topic, topicId, partitions } = record;
    const sameId = registry.topic(topicId);
    if (sameId !== undefined && (sameId.topic !== topic || sameId.partitions >= partitions)) return voidOutcome;
    if (partitions < 1 || partitions > partitionsPerTopicMax) return voidOutcome;
    const sameName = registry.topicNamed(topic);
    // A store that has been used, and a topic of which there was another: the job has begun before, we don't know when.
    const isFirst = sameName === undefined && marks.epochBase <= 0;
    const startPartitions = sameId?.startPartitions ?? (isFirst ? partitions : 0);
    const info = { topic, topicId, partitions, startPartitions };
    if (sameName === undefined || sameName.topicId === topicId) {
      registry.setTopic(info);
      return outcomeOf({ topics: [info] });
    }
    this.#noteEnd(index);
    const changes = registry.removeTopic(sameName.topicId);
    registry.setTopic(info);
    return outcomeOf({ topics: [info], topicsRemoved: [sameName.topicId], partitions: changes });
  }

  #replayTopicRemoved(topicId: TopicId, index: number): ReplayOutcome {
    const registry = this.#parts.partitions;
    if (registry.topic(topicId) === undefined) return voidOutcome;
    this.#noteEnd(index);
    return outcomeOf({ partitions: registry.removeTopic(topicId), topicsRemoved: [topicId] });
  }

  #replayPartitionGranted(record: PartitionGranted, index: number): ReplayOutcome {
    const { partitions, marks } = this.#parts;
    const { topicId, partition, session, shard } = record;
    const current = partitions.lease(topicId, partition);
    if (current === undefined || this.#holderFor(session, shard, 0, index) === 0) return voidOutcome;
    const epoch = (marks.epochBase + index) as LeaseEpoch;
    if (current !== null && (current.epoch !== record.fromEpoch || current.epoch === epoch)) return voidOutcome;
    this.#grantedIndex = index;
    return outcomeOf({ partitions: [partitions.setLease(topicId, partition, { session, shard, epoch })] });
  }

  #replayPartitionReleased(record: PartitionReleased, index: number): ReplayOutcome {
    const { partitions, marks } = this.#parts;
    const current = partitions.lease(record.topicId, record.partition);
    if (!current || current.epoch !== record.epoch || current.epoch === marks.epochBase + index) return voidOutcome;
    return outcomeOf({ partitions: [partitions.setLease(record.topicId, record.partition, null)] });
  }

  #replayGenerationChanged(record: GenerationChanged, index: number): ReplayOutcome {
    const { marks, sessions, slots } = this.#parts;
    if (record.number !== marks.generation + 1) return voidOutcome;
    // Its rows and markers are of another history: holders that go back to it would overwrite what its markers vouch for.
    const { storeGeneration } = record;
    if (storeGeneration === marks.storeGeneration || marks.formerGenerations.includes(storeGeneration))
      return voidOutcome;
    const ended: EndedSession[] = [];
    const partitions: PartitionChange[] = [];
    // The leases before the generation: a holder that sees the store's new life has to see which of them are over.
    if (!record.continues)
      for (const { session } of [...sessions.sessions()])
        this.#endSession(session, 'storeReplaced', index, ended, partitions);
    if (marks.storeGeneration !== '')
      marks.formerGenerations = [...marks.formerGenerations, marks.storeGeneration].slice(-formerGenerationsMax);
    marks.generation = record.number;
    marks.generationIndex = index;
    marks.storeGeneration = record.storeGeneration;
    // In this order: who has seen the index must not take the number of before for its.
    Atomics.store(slots.words, headerAt.generation, record.number);
    storePair(slots.words, headerAt.generationIndexPair, index);
    return outcomeOf({ generation: record.number, ended, partitions, unclean: ended.length > 0 });
  }

  #replayNodeForgotten(record: NodeForgotten): ReplayOutcome {
    const { sessions } = this.#parts;
    if (sessions.node(record.nodeId)?.session !== 0) return voidOutcome;
    sessions.forget(record.nodeId);
    return outcomeOf({});
  }

  #replayNodeDraining({ nodeId, draining }: NodeDraining): ReplayOutcome {
    const { sessions } = this.#parts;
    const node = sessions.node(nodeId);
    if (node === undefined || node.draining === draining) return voidOutcome;
    sessions.setDraining(nodeId, draining);
    return outcomeOf({});
  }

  #quarantineChanged(hasChanged: boolean, index: number): ReplayOutcome {
    if (!hasChanged) return voidOutcome;
    const { marks, slots } = this.#parts;
    marks.quarantineIndex = index;
    storePair(slots.words, headerAt.quarantineIndexPair, index);
    return outcomeOf({ quarantine: true });
  }

  /** The holder number to grant with, with room for `count` leases; 0 when nothing may be granted. */
  #holderFor(session: SessionId, shard: ShardIndex, count: number, index: number): number {
    const { sessions, slots } = this.#parts;
    const info = sessions.session(session);
    if (info === undefined || info.closing || this.#grantsOverIndex === index) return 0;
    slots.reserve(count);
    return slots.holderOf(session, shard);
  }

  /** The slot of a unit's live lease of that epoch, or -1. A lease that this same entry made isn't found. */
  #findLease(hi: number, lo: number, epoch: number, index: number): number {
    const { slots, marks } = this.#parts;
    const slot = slots.find(hi, lo);
    if (slot < 0) return -1;
    const grantIndex = slots.grantIndexAt(slot);
    return grantIndex !== index && marks.epochBase + grantIndex === epoch ? slot : -1;
  }

  /**
   * All leases made by one entry have the same epoch, so within an entry nothing is granted after leases that
   * it may have made were ended again: else two holders of a unit would have one epoch. `decide` never asks for it.
   */
  #noteEnd(index: number): void {
    if (this.#grantedIndex === index) this.#grantsOverIndex = index;
  }

  #raiseUnclean(index: number): void {
    const { marks, slots } = this.#parts;
    marks.uncleanCount++;
    marks.uncleanIndex = index;
    storePair(slots.words, headerAt.uncleanIndexPair, index);
    Atomics.store(slots.words, headerAt.uncleanCount, marks.uncleanCount);
  }
}
