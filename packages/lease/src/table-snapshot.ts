import {
  assert,
  ByteFormatError,
  ByteReader,
  ByteWriter,
  leaseEpoch,
  nodeId,
  sessionId,
  shardIndex,
  topicId,
} from '@holdfast/model';
import { formerGenerationsMax, partitionsPerTopicMax, shardsMax, unitsHardMax } from './limits.ts';
import type { PartitionEnds } from './partition-ends.ts';
import { PartitionRegistry } from './partition-registry.ts';
import { encodeQuarantine, QuarantineDecoder } from './quarantine-codec.ts';
import { QuarantineRegistry } from './quarantine-registry.ts';
import { decodeIncarnation, encodeIncarnation } from './record-codec.ts';
import { SessionRegistry } from './session-registry.ts';
import { entryAt, entryFirst, entryWords, headerAt, storePair } from './table-layout.ts';
import type { TableMarks, TableParts } from './table-parts.ts';
import { isCurrent, type UnitsView } from './unit-buffer.ts';
import { UnitSlots } from './unit-slots.ts';

/*
 * Snapshot: version, head length, head (marks, sessions, nodes, topics, quarantine, number of units), then 16 bytes per unit:
 * an entry as in the table's buffer (`entryAt`), in little-endian words. Holder numbers count the shards of the
 * sessions in their order, from 1. Sixteen bytes as they are beat a smaller encoding: a million units in 10 ms.
 * At the end, the ends of partitions that the quarantine's units name by number: length and bytes of each.
 */
const formatVersion = 6;
/** Up to this one crashes were of records only. */
const formatWithoutFrames = 5;
/** Up to this one each released unit had its own list of ends. */
const formatWithOwnEnds = 4;
/** Up to this one it wasn't known which partitions were there at first. */
const formatWithoutStarts = 4;
/** Up to this one there was no quarantine, and no former generations before it. */
const formatWithoutQuarantine = 3;
const formatOldest = 2;
const unitBytes = entryWords * 4;

/** Entries looked at, or units installed, in one slice: a few milliseconds. */
export const sliceEntries = 32_768;
/** Lists of ends in one slice: some hundred KB where there are a thousand partitions. */
const sliceLists = 64;

/**
 * The table at one index, to be encoded in slices while the table goes on: entries never change once they are written, so
 * all that has to be kept of the moment is which of them are current.
 */
export class SnapshotSource {
  readonly unitCount: number;
  readonly #units: UnitsView;
  readonly #bytes: Uint8Array;
  readonly #renumbered = new Uint16Array(1 << 16);
  readonly #lists: readonly PartitionEnds[];
  #list = 0;
  #entry = entryFirst;
  /** Bytes written so far. */
  #length: number;

  constructor(parts: TableParts) {
    this.#units = parts.slots.view();
    this.unitCount = this.#units.unitCount;
    let next = 1;
    for (const { firstHolder, shards } of this.#units.sessions) {
      for (let i = 0; i < shards; i++) this.#renumbered[firstHolder + i] = next++;
    }
    this.#lists = parts.quarantine.lists;
    const head = encodeHead(parts, this.#units, this.#lists);
    const start = new ByteWriter(head.length + 8).u8(formatVersion).bytes(head).finish();
    const listBytes = this.#lists.reduce((sum, { bytes }) => sum + varintLength(bytes.length) + bytes.length, 0);
    this.#bytes = new Uint8Array(start.length + this.unitCount * unitBytes + listBytes);
    this.#bytes.set(start);
    this.#length = start.length;
  }

  /** Looks at so many more entries, or some lists of ends. The whole snapshot when that was the last of it, else null: call again. */
  next(entriesMax = sliceEntries): Uint8Array | null {
    if (this.#entry < this.#units.end) this.#nextUnits(entriesMax);
    else this.#nextLists();
    if (this.#entry < this.#units.end || this.#list < this.#lists.length) return null;
    assert(this.#length === this.#bytes.length, `${this.#length} bytes of a snapshot of ${this.#bytes.length}`);
    return this.#bytes;
  }

  #nextUnits(entriesMax: number): void {
    const from = this.#entry;
    this.#entry = Math.min(this.#units.end, from + entriesMax);
    const words = new Int32Array((this.#entry - from) * entryWords);
    const filled = this.#fill(words, from, this.#entry);
    this.#bytes.set(new Uint8Array(words.buffer, 0, filled * 4), this.#length);
    this.#length += filled * 4;
  }

  #nextLists(): void {
    for (const { bytes } of this.#lists.slice(this.#list, this.#list + sliceLists)) {
      const length = new ByteWriter(8).varint(bytes.length).finish();
      this.#bytes.set(length, this.#length);
      this.#bytes.set(bytes, this.#length + length.length);
      this.#length += length.length + bytes.length;
      this.#list++;
    }
  }

  #fill(out: Int32Array, from: number, end: number): number {
    const { words, entriesStart, current } = this.#units;
    let filled = 0;
    for (let entry = from; entry < end; entry++) {
      if (!isCurrent(current, entry)) continue;
      const at = entriesStart + entry * entryWords;
      const meta = words[at + entryAt.meta]!;
      const holder = this.#renumbered[meta >>> 16]!;
      if (holder === 0) continue;
      out[filled + entryAt.lo] = words[at + entryAt.lo]!;
      out[filled + entryAt.hi] = words[at + entryAt.hi]!;
      out[filled + entryAt.meta] = (holder << 16) | (meta & 0xffff);
      out[filled + entryAt.indexLow] = words[at + entryAt.indexLow]!;
      filled += entryWords;
    }
    return filled;
  }
}

/** Everything a snapshot holds, put together in slices in a buffer of its own that nobody reads yet. */
export class SnapshotDecoder {
  readonly #parts: TableParts;
  readonly #units: Uint8Array;
  readonly #shards: number;
  readonly #quarantine: QuarantineDecoder | null;
  /** At the lists of ends that are still to be read. */
  readonly #lists: ByteReader;
  #listsLeft: number;
  #at = 0;

  /** @throws ByteFormatError */
  constructor(bytes: Uint8Array, onBuffer: (buffer: SharedArrayBuffer) => void) {
    const input = new ByteReader(bytes);
    const version = input.u8();
    if (version < formatOldest || version > formatVersion)
      throw new ByteFormatError(`lease snapshot of format ${version}, expected ${formatVersion}`);
    const head = new ByteReader(input.bytes());
    const marks = decodeMarks(head, version);
    const sessions = new SessionRegistry();
    for (let count = head.varint(); count > 0; count--) decodeSession(head, sessions);
    for (let count = head.varint(); count > 0; count--) decodeNode(head, sessions);
    const partitions = new PartitionRegistry();
    for (let count = head.varint(); count > 0; count--) decodeTopic(head, partitions, version);
    const hasQuarantine = version > formatWithoutQuarantine;
    if (hasQuarantine) marks.quarantineIndex = head.varint();
    this.#quarantine = hasQuarantine
      ? new QuarantineDecoder(head, version <= formatWithOwnEnds, version > formatWithoutFrames)
      : null;
    const unitCount = head.varint();
    this.#units = input.raw(unitCount * unitBytes);
    this.#lists = input;
    this.#listsLeft = this.#quarantine?.listCount ?? 0;
    this.#shards = sessions.shardCount;
    if (!head.atEnd || (!input.atEnd && this.#listsLeft === 0) || unitCount > unitsHardMax)
      throw new ByteFormatError('a lease snapshot of wrong length');
    if (this.#shards > shardsMax) throw new ByteFormatError(`a lease snapshot with ${this.#shards} shards`);
    const slots = new UnitSlots(onBuffer, unitCount, this.#shards);
    for (const { session, shards } of sessions.sessions()) slots.addSession(session, shards);
    writeMarks(slots.words, marks);
    this.#parts = { marks, sessions, partitions, slots, quarantine: new QuarantineRegistry() };
  }

  /** Takes so many more units, or some lists of ends. The table's parts when that was the last, else null: call again. @throws ByteFormatError */
  next(unitsMax = sliceEntries): TableParts | null {
    if (this.#at < this.#units.length) this.#nextUnits(unitsMax);
    else this.#nextLists();
    if (this.#at < this.#units.length || this.#listsLeft > 0) return null;
    if (!this.#lists.atEnd) throw new ByteFormatError('a lease snapshot of wrong length');
    this.#quarantine?.fill(this.#parts.quarantine);
    return this.#parts;
  }

  #nextLists(): void {
    for (let n = 0; n < sliceLists && this.#listsLeft > 0; n++, this.#listsLeft--)
      this.#quarantine!.addList(this.#lists);
  }

  #nextUnits(unitsMax: number): void {
    const end = Math.min(this.#units.length, this.#at + unitsMax * unitBytes);
    // A copy, since the bytes may begin anywhere (and not by slice, which on Node's Buffer copies nothing).
    const words = new Int32Array(new Uint8Array(this.#units.subarray(this.#at, end)).buffer);
    for (let at = 0; at < words.length; at += entryWords) {
      const holder = words[at + entryAt.meta]! >>> 16;
      if (holder < 1 || holder > this.#shards)
        throw new ByteFormatError(`unit of holder ${holder}, but there are ${this.#shards}`);
    }
    this.#parts.slots.append(words, words.length);
    this.#at = end;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) length++;
  return length;
}

function encodeHead(
  { marks, sessions, partitions, quarantine }: TableParts,
  units: UnitsView,
  lists: readonly PartitionEnds[],
): Uint8Array {
  const out = new ByteWriter(1024);
  out
    .varint(marks.tableIndex)
    .varint(marks.epochBase + 1)
    .varint(marks.uncleanCount)
    .varint(marks.uncleanIndex);
  out.varint(marks.forcedCount).varint(marks.generation).varint(marks.generationIndex).text(marks.storeGeneration);
  out.varint(marks.formerGenerations.length);
  for (const former of marks.formerGenerations) out.text(former);
  out.varint(units.sessions.length);
  for (const { session } of units.sessions) {
    const info = sessions.session(sessionId(session));
    assert(info !== undefined, `session ${session} has holders, but is over`);
    out.varint(session).u8(info.closing ? 1 : 0);
    encodeIncarnation(out, info);
  }
  const nodes = [...sessions.nodes()];
  out.varint(nodes.length);
  for (const node of nodes)
    out
      .text(node.nodeId)
      .text(node.uuid)
      .varint(node.counter)
      .varint(node.session * 2 + (node.draining ? 1 : 0));
  const topics = [...partitions.topics()];
  out.varint(topics.length);
  for (const topic of topics) {
    out.text(topic.topic).text(topic.topicId).varint(topic.partitions).varint(topic.startPartitions);
    for (const lease of partitions.leases(topic.topicId)) {
      out.varint(lease?.epoch ?? 0);
      if (lease !== null) out.varint(lease.session).varint(lease.shard);
    }
  }
  encodeQuarantine(out.varint(marks.quarantineIndex), quarantine, lists);
  return out.varint(units.unitCount).finish();
}

function decodeMarks(head: ByteReader, version: number): TableMarks {
  const marks = {
    tableIndex: head.varint(),
    epochBase: head.varint() - 1,
    uncleanCount: head.varint(),
    uncleanIndex: head.varint(),
    forcedCount: head.varint(),
    generation: head.varint(),
    generationIndex: head.varint(),
    storeGeneration: head.text(),
  };
  const formerGenerations: string[] = [];
  const count = version === formatOldest ? 0 : head.varint();
  if (count > formerGenerationsMax) throw new ByteFormatError(`a lease snapshot with ${count} former generations`);
  for (let i = 0; i < count; i++) formerGenerations.push(head.text());
  return { ...marks, quarantineIndex: 0, formerGenerations };
}

function decodeSession(head: ByteReader, sessions: SessionRegistry): void {
  const session = sessionId(head.varint());
  const closing = head.u8() === 1;
  sessions.restoreSession({ session, closing, ...decodeIncarnation(head) });
}

function decodeNode(head: ByteReader, sessions: SessionRegistry): void {
  const [node, uuid, counter] = [nodeId(head.text()), head.text(), head.varint()];
  const sessionAndFlag = head.varint();
  const draining = sessionAndFlag % 2 === 1;
  sessions.restoreNode({ nodeId: node, uuid, counter, session: sessionId(Math.floor(sessionAndFlag / 2)), draining });
}

function decodeTopic(head: ByteReader, partitions: PartitionRegistry, version: number): void {
  const topic = head.text();
  const id = topicId(head.text());
  const count = head.varint();
  if (count > partitionsPerTopicMax) throw new ByteFormatError(`topic ${topic} with ${count} partitions`);
  // They have begun by now, and the store or the log knows where; of one that hasn't nothing is to be left out.
  const startPartitions = version > formatWithoutStarts ? head.varint() : 0;
  partitions.setTopic({ topic, topicId: id, partitions: count, startPartitions });
  for (let partition = 0; partition < count; partition++) {
    const epoch = leaseEpoch(head.varint());
    if (epoch === 0) continue;
    const session = sessionId(head.varint());
    partitions.setLease(id, partition, { session, shard: shardIndex(head.varint()), epoch });
  }
}

function writeMarks(words: Int32Array, marks: TableMarks): void {
  words[headerAt.uncleanCount] = marks.uncleanCount;
  words[headerAt.forcedCount] = marks.forcedCount;
  words[headerAt.generation] = marks.generation;
  storePair(words, headerAt.uncleanIndexPair, marks.uncleanIndex);
  storePair(words, headerAt.generationIndexPair, marks.generationIndex);
  storePair(words, headerAt.quarantineIndexPair, marks.quarantineIndex);
  storePair(words, headerAt.epochBasePair, Math.max(0, marks.epochBase));
  storePair(words, headerAt.tableIndexPair, marks.tableIndex);
}
