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
import { partitionsPerTopicMax, shardsMax, unitsHardMax } from './limits.ts';
import { PartitionRegistry } from './partition-registry.ts';
import { decodeIncarnation, encodeIncarnation } from './record-codec.ts';
import { SessionRegistry } from './session-registry.ts';
import { entryAt, entryFirst, entryWords, headerAt, storePair } from './table-layout.ts';
import type { TableMarks, TableParts } from './table-parts.ts';
import { UnitSlots, type UnitsCopy } from './unit-slots.ts';

/*
 * Snapshot: version, head length, head (marks, sessions, nodes, topics, number of units), then 16 bytes per unit:
 * an entry as in the table's buffer (`entryAt`), in little-endian words. Holder numbers count the shards of the
 * sessions in their order, from 1. Sixteen bytes as they are beat a smaller encoding: a million units in 10 ms.
 */
const formatVersion = 1;
const unitBytes = entryWords * 4;

/** The table at one index, detached from it: encode it in pieces, between other work. */
export class SnapshotSource {
  /** Units in the pieces together. */
  readonly unitCount: number;
  readonly #units: UnitsCopy;
  readonly #head: Uint8Array;
  readonly #renumbered = new Uint16Array(1 << 16);
  #headDone = false;
  #entry = entryFirst;

  constructor(parts: TableParts) {
    this.#units = parts.slots.copy();
    this.unitCount = this.#units.unitCount;
    let next = 1;
    for (const { firstHolder, shards } of this.#units.sessions) {
      for (let i = 0; i < shards; i++) this.#renumbered[firstHolder + i] = next++;
    }
    this.#head = encodeHead(parts, this.#units);
  }

  /** The next piece, of at most so many units; null after the last. Joined, the pieces are the snapshot. */
  next(unitsMax = 65_536): Uint8Array | null {
    if (!this.#headDone) {
      this.#headDone = true;
      return new ByteWriter(this.#head.length + 8).u8(formatVersion).bytes(this.#head).finish();
    }
    const words = new Int32Array(Math.min(unitsMax, this.unitCount) * entryWords);
    const filled = this.#fill(words);
    return filled === 0 ? null : new Uint8Array(words.buffer, 0, filled * 4);
  }

  encodeAll(): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let piece = this.next(this.unitCount); piece !== null; piece = this.next(this.unitCount)) pieces.push(piece);
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  #fill(words: Int32Array): number {
    const { entries, current, end } = this.#units;
    let filled = 0;
    for (; this.#entry < end && filled < words.length; this.#entry++) {
      if (current[this.#entry] === 0) continue;
      const at = this.#entry * entryWords;
      const meta = entries[at + entryAt.meta]!;
      const holder = this.#renumbered[meta >>> 16]!;
      if (holder === 0) continue;
      words[filled + entryAt.lo] = entries[at + entryAt.lo]!;
      words[filled + entryAt.hi] = entries[at + entryAt.hi]!;
      words[filled + entryAt.meta] = (holder << 16) | (meta & 0xffff);
      words[filled + entryAt.indexLow] = entries[at + entryAt.indexLow]!;
      filled += entryWords;
    }
    return filled;
  }
}

/** Everything a snapshot holds, in a buffer of its own that nobody reads yet. Throws `ByteFormatError`. */
export function decodeSnapshot(bytes: Uint8Array, onBuffer: (buffer: SharedArrayBuffer) => void): TableParts {
  const input = new ByteReader(bytes);
  const version = input.u8();
  if (version !== formatVersion)
    throw new ByteFormatError(`lease snapshot of format ${version}, expected ${formatVersion}`);
  const head = new ByteReader(input.bytes());
  const marks = decodeMarks(head);
  const sessions = new SessionRegistry();
  for (let count = head.varint(); count > 0; count--) decodeSession(head, sessions);
  for (let count = head.varint(); count > 0; count--) decodeNode(head, sessions);
  const partitions = new PartitionRegistry();
  for (let count = head.varint(); count > 0; count--) decodeTopic(head, partitions);
  const unitCount = head.varint();
  const units = input.raw(unitCount * unitBytes);
  if (!head.atEnd || !input.atEnd || unitCount > unitsHardMax)
    throw new ByteFormatError('a lease snapshot of wrong length');
  if (sessions.shardCount > shardsMax) throw new ByteFormatError(`a lease snapshot with ${sessions.shardCount} shards`);
  const slots = new UnitSlots(onBuffer, unitCount, sessions.shardCount);
  for (const { session, shards } of sessions.sessions()) slots.addSession(session, shards);
  decodeUnits(units, slots, sessions.shardCount);
  writeMarks(slots.words, marks);
  return { marks, sessions, partitions, slots };
}

function encodeHead({ marks, sessions, partitions }: TableParts, units: UnitsCopy): Uint8Array {
  const out = new ByteWriter(1024);
  out
    .varint(marks.tableIndex)
    .varint(marks.epochBase + 1)
    .varint(marks.uncleanCount)
    .varint(marks.uncleanIndex);
  out.varint(marks.forcedCount).varint(marks.generation).varint(marks.generationIndex).text(marks.storeGeneration);
  out.varint(units.sessions.length);
  for (const { session } of units.sessions) {
    const info = sessions.session(sessionId(session));
    assert(info !== undefined, `session ${session} has holders, but is over`);
    out.varint(session).u8(info.closing ? 1 : 0);
    encodeIncarnation(out, info);
  }
  const nodes = [...sessions.nodes()];
  out.varint(nodes.length);
  for (const node of nodes) out.text(node.nodeId).text(node.uuid).varint(node.counter).varint(node.session);
  const topics = [...partitions.topics()];
  out.varint(topics.length);
  for (const topic of topics) {
    out.text(topic.topic).text(topic.topicId).varint(topic.partitions);
    for (const lease of partitions.leases(topic.topicId)) {
      out.varint(lease?.epoch ?? 0);
      if (lease !== null) out.varint(lease.session).varint(lease.shard);
    }
  }
  return out.varint(units.unitCount).finish();
}

function decodeMarks(head: ByteReader): TableMarks {
  return {
    tableIndex: head.varint(),
    epochBase: head.varint() - 1,
    uncleanCount: head.varint(),
    uncleanIndex: head.varint(),
    forcedCount: head.varint(),
    generation: head.varint(),
    generationIndex: head.varint(),
    storeGeneration: head.text(),
  };
}

function decodeSession(head: ByteReader, sessions: SessionRegistry): void {
  const session = sessionId(head.varint());
  const closing = head.u8() === 1;
  sessions.restoreSession({ session, closing, ...decodeIncarnation(head) });
}

function decodeNode(head: ByteReader, sessions: SessionRegistry): void {
  const node = nodeId(head.text());
  sessions.restoreNode({
    nodeId: node,
    uuid: head.text(),
    counter: head.varint(),
    session: sessionId(head.varint()),
  });
}

function decodeTopic(head: ByteReader, partitions: PartitionRegistry): void {
  const topic = head.text();
  const id = topicId(head.text());
  const count = head.varint();
  if (count > partitionsPerTopicMax) throw new ByteFormatError(`topic ${topic} with ${count} partitions`);
  partitions.setTopic({ topic, topicId: id, partitions: count });
  for (let partition = 0; partition < count; partition++) {
    const epoch = leaseEpoch(head.varint());
    if (epoch === 0) continue;
    const session = sessionId(head.varint());
    partitions.setLease(id, partition, { session, shard: shardIndex(head.varint()), epoch });
  }
}

function decodeUnits(bytes: Uint8Array, slots: UnitSlots, shards: number): void {
  // A copy, since the bytes may begin anywhere (and not by slice, which on Node's Buffer copies nothing).
  const words = new Int32Array(new Uint8Array(bytes).buffer);
  for (let at = 0; at < words.length; at += entryWords) {
    const holder = words[at + entryAt.meta]! >>> 16;
    if (holder < 1 || holder > shards) throw new ByteFormatError(`unit of holder ${holder}, but there are ${shards}`);
  }
  slots.append(words, words.length);
}

function writeMarks(words: Int32Array, marks: TableMarks): void {
  words[headerAt.uncleanCount] = marks.uncleanCount;
  words[headerAt.forcedCount] = marks.forcedCount;
  words[headerAt.generation] = marks.generation;
  storePair(words, headerAt.uncleanIndexPair, marks.uncleanIndex);
  storePair(words, headerAt.generationIndexPair, marks.generationIndex);
  storePair(words, headerAt.epochBasePair, Math.max(0, marks.epochBase));
  storePair(words, headerAt.tableIndexPair, marks.tableIndex);
}
