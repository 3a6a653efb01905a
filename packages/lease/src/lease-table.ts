import {
  assert,
  type LeaseEpoch,
  type LogIndex,
  logIndex,
  type NodeId,
  type SessionId,
  type ShardIndex,
  type TopicId,
} from '@holdfast/model';
import type { HolderHistory } from './holder-history.ts';
import { PartitionRegistry } from './partition-registry.ts';
import { QuarantineRegistry } from './quarantine-registry.ts';
import type { LeaseRecord } from './records.ts';
import { Replay } from './replay.ts';
import type { PartitionLease, ReplayOutcome, SessionInfo, TopicInfo } from './replay-outcome.ts';
import { type KnownNode, SessionRegistry } from './session-registry.ts';
import { differenceOf } from './table-difference.ts';
import { headerAt, storePair } from './table-layout.ts';
import type { TableParts } from './table-parts.ts';
import { LeaseTableReader } from './table-reader.ts';
import { SnapshotDecoder, SnapshotSource } from './table-snapshot.ts';
import type { UnitVisitor } from './unit-buffer.ts';
import { UnitSlots } from './unit-slots.ts';

/** Who holds a unit. */
export interface UnitLease {
  readonly session: SessionId;
  readonly nodeId: NodeId;
  readonly shard: ShardIndex;
  readonly epoch: LeaseEpoch;
}

/** One shard and how many units it holds. */
export interface ShardLoad {
  readonly session: SessionId;
  readonly nodeId: NodeId;
  readonly shard: ShardIndex;
  readonly units: number;
}

/** A snapshot on its way into a table, in slices: see `LeaseTable.beginInstall`. */
export interface SnapshotInstall {
  /** Installs so many more units. What differs now, after the last slice; null: call again. */
  next(unitsMax?: number): ReplayOutcome | null;
}

/**
 * The replicated lease table (PROTOCOL.md 2): `replay` of committed records is the only thing that changes it, and
 * the same records at the same indexes give every node the same table. One thread writes it (the control thread);
 * shards read the same buffer with `LeaseTableReader`. Replay is total: a record that can't be is void, never an error.
 */
export class LeaseTable {
  #parts: TableParts;
  readonly #listeners = new Set<(buffer: SharedArrayBuffer) => void>();
  readonly #reader: LeaseTableReader;
  #replay: Replay;
  /** Told of every change of a holder; null: nobody wants to know. */
  readonly history: HolderHistory | null;

  constructor(history: HolderHistory | null = null) {
    this.history = history;
    const marks = { tableIndex: 0, epochBase: -1, uncleanCount: 0, uncleanIndex: 0, forcedCount: 0 };
    this.#parts = {
      marks: {
        ...marks,
        generation: 0,
        generationIndex: 0,
        quarantineIndex: 0,
        storeGeneration: '',
        formerGenerations: [],
      },
      sessions: new SessionRegistry(),
      partitions: new PartitionRegistry(),
      slots: new UnitSlots((buffer) => this.#publishBuffer(buffer)),
      quarantine: new QuarantineRegistry(),
    };
    this.#replay = new Replay(this.#parts, this.history);
    this.#reader = new LeaseTableReader(this.buffer);
  }

  /** A table as `encodeSnapshot` saw it. Throws `ByteFormatError`. */
  static restore(bytes: Uint8Array): LeaseTable {
    const table = new LeaseTable();
    table.install(bytes);
    return table;
  }

  /** The buffer to attach readers to; another one after each call of an `onBuffer` listener. */
  get buffer(): SharedArrayBuffer {
    return this.#parts.slots.buffer;
  }

  /** Called with each new buffer, before anything is written to it that the old one lacks. Returns how to stop it. */
  onBuffer(listener: (buffer: SharedArrayBuffer) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get tableIndex(): LogIndex {
    return logIndex(this.#parts.marks.tableIndex);
  }

  /** -1 before the cluster is founded. */
  get epochBase(): number {
    return this.#parts.marks.epochBase;
  }

  get uncleanCount(): number {
    return this.#parts.marks.uncleanCount;
  }

  get uncleanIndex(): LogIndex {
    return logIndex(this.#parts.marks.uncleanIndex);
  }

  get forcedCount(): number {
    return this.#parts.marks.forcedCount;
  }

  get generation(): number {
    return this.#parts.marks.generation;
  }

  get generationIndex(): LogIndex {
    return logIndex(this.#parts.marks.generationIndex);
  }

  get quarantineIndex(): LogIndex {
    return logIndex(this.#parts.marks.quarantineIndex);
  }

  /** '' before the first is known. */
  get storeGeneration(): string {
    return this.#parts.marks.storeGeneration;
  }

  /** The store of this generation was given up for another one: what has been written to it since is nobody's. */
  isFormerGeneration(storeGeneration: string): boolean {
    return this.#parts.marks.formerGenerations.includes(storeGeneration);
  }

  /** Units with a live lease. */
  get unitCount(): number {
    return this.#parts.slots.unitCount;
  }

  get shardCount(): number {
    return this.#parts.sessions.shardCount;
  }

  sessions(): IterableIterator<SessionInfo> {
    return this.#parts.sessions.sessions();
  }

  session(session: SessionId): SessionInfo | undefined {
    return this.#parts.sessions.session(session);
  }

  nodes(): IterableIterator<KnownNode> {
    return this.#parts.sessions.nodes();
  }

  node(nodeId: NodeId): KnownNode | undefined {
    return this.#parts.sessions.node(nodeId);
  }

  /** The session's node is to hold and read nothing. */
  isDraining(session: SessionId): boolean {
    const info = this.session(session);
    return info !== undefined && this.node(info.nodeId)?.draining === true;
  }

  /** Crashes that are remembered, and units in quarantine. To be read only. */
  get quarantine(): Omit<QuarantineRegistry, 'addCrash' | 'quarantine' | 'release' | 'restore'> {
    return this.#parts.quarantine;
  }

  topics(): Generator<TopicInfo> {
    return this.#parts.partitions.topics();
  }

  topic(topicId: TopicId): TopicInfo | undefined {
    return this.#parts.partitions.topic(topicId);
  }

  topicNamed(topic: string): TopicInfo | undefined {
    return this.#parts.partitions.topicNamed(topic);
  }

  /** By partition number; null: nobody reads it. */
  partitionLeases(topicId: TopicId): readonly (PartitionLease | null)[] {
    return this.#parts.partitions.leases(topicId);
  }

  /** undefined: there is no such partition; null: nobody reads it. */
  partitionLease(topicId: TopicId, partition: number): PartitionLease | null | undefined {
    return this.#parts.partitions.lease(topicId, partition);
  }

  /** Units held by a shard. */
  load(session: SessionId, shard: ShardIndex): number {
    return this.#parts.slots.load(session, shard);
  }

  /** Every live shard, for status pages. */
  loads(): ShardLoad[] {
    const loads: ShardLoad[] = [];
    for (const { session, nodeId, shards } of this.sessions()) {
      for (let i = 0; i < shards; i++) {
        const shard = i as ShardIndex;
        loads.push({ session, nodeId, shard, units: this.load(session, shard) });
      }
    }
    return loads;
  }

  /** Who holds a unit, or null. For pages and commands; loops use `reader`. */
  get(hi: number, lo: number): UnitLease | null {
    if (!this.#reader.lookup(hi, lo)) return null;
    const { session, shard, epoch } = this.#reader;
    return { session, nodeId: this.session(session)!.nodeId, shard, epoch };
  }

  /** The writer's own view; attached to the present buffer always. */
  get reader(): LeaseTableReader {
    return this.#reader;
  }

  /** Every live lease, in no order that means anything. O(units). */
  visitUnits(visitor: UnitVisitor): void {
    this.#parts.slots.visit(visitor);
  }

  /**
   * Applies one record of the entry at `index`; records of an entry in their order, then `publishIndex`.
   * Leases change visibly at once.
   */
  replay(record: LeaseRecord, index: number): ReplayOutcome {
    return this.#replay.apply(record, index);
  }

  /** All entries up to `index` are applied: also those that hold no lease records. */
  publishIndex(index: number): void {
    const { marks, slots } = this.#parts;
    assert(index >= marks.tableIndex, `table index back from ${marks.tableIndex} to ${index}`);
    marks.tableIndex = index;
    storePair(slots.words, headerAt.tableIndexPair, index);
    slots.tend();
  }

  /** The state at `tableIndex`, to be encoded in slices while the table goes on: see `SnapshotSource`. */
  captureSnapshot(): SnapshotSource {
    return new SnapshotSource(this.#parts);
  }

  /** The whole state at `tableIndex`, dead leases left out. */
  encodeSnapshot(): Uint8Array {
    return lastOf(this.captureSnapshot());
  }

  /** `beginInstall` at one go. Throws `ByteFormatError` and changes nothing. */
  install(bytes: Uint8Array): ReplayOutcome {
    return lastOf(this.beginInstall(bytes));
  }

  /**
   * Replaces the whole state by a snapshot's, of this index or a later one, while shards read: they see their buffer
   * superseded. Made in slices, nothing of which is seen before the last; no record may be replayed meanwhile.
   * Throws `ByteFormatError`, here or in a slice, and changes nothing then.
   */
  beginInstall(bytes: Uint8Array): SnapshotInstall {
    const decoder = new SnapshotDecoder(bytes, (buffer) => this.#publishBuffer(buffer));
    return {
      next: (unitsMax) => {
        const parts = decoder.next(unitsMax);
        return parts === null ? null : this.#take(parts);
      },
    };
  }

  #take(parts: TableParts): ReplayOutcome {
    const old = this.#parts;
    assert(
      parts.marks.tableIndex >= old.marks.tableIndex,
      `snapshot of ${parts.marks.tableIndex} after ${old.marks.tableIndex}`,
    );
    this.#parts = parts;
    this.#replay = new Replay(parts, this.history);
    old.slots.supersede();
    this.#publishBuffer(parts.slots.buffer);
    return differenceOf(old, parts);
  }

  #publishBuffer(buffer: SharedArrayBuffer): void {
    this.#reader.attach(buffer);
    for (const listener of this.#listeners) listener(buffer);
  }
}

/** What the last slice gives. */
function lastOf<T>(work: { next(max: number): T | null }): T {
  let result = null;
  while (result === null) result = work.next(Number.POSITIVE_INFINITY);
  return result;
}
