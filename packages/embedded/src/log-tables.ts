import type { OffsetCommit, TopicInfo } from '@holdfast/engine';
import { ByteReader, ByteWriter, type PartitionId, topicId } from '@holdfast/model';
import { textKey, writeU64 } from './binary-keys.ts';
import type { LmdbEnv, Table, TableSpecs } from './lmdb-env.ts';

/** The tables of a log's environment. Topic numbers are never used twice, so keys that hold one never come back. */
export interface LogTables {
  /** 'next-topic' → number of the next topic to be created */
  readonly meta: Table;
  /** topic name → its number, id and partition count */
  readonly topics: Table;
  /** topic number, partition → next offset; versioned: appends compare it */
  readonly heads: Table;
  /** topic number, partition, first offset → block */
  readonly blocks: Table;
  /** group, topic id, partition → committed offset; versioned */
  readonly commits: Table;
  /** feed → how far it is */
  readonly feeds: Table;
}

export const logTableSpecs = {
  meta: { versions: false },
  topics: { versions: false },
  heads: { versions: true },
  blocks: { versions: false },
  commits: { versions: true },
  feeds: { versions: false },
} satisfies TableSpecs;

export function logTables(env: LmdbEnv): LogTables {
  return {
    meta: env.table('meta'),
    topics: env.table('topics'),
    heads: env.table('heads'),
    blocks: env.table('blocks'),
    commits: env.table('commits'),
    feeds: env.table('feeds'),
  };
}

export interface StoredTopic extends TopicInfo {
  readonly number: number;
}

export function encodeTopic(topic: StoredTopic): Uint8Array {
  return new ByteWriter(64).varint(topic.number).text(topic.topicId).varint(topic.partitions).finish();
}

export function decodeTopic(topic: string, stored: Uint8Array): StoredTopic {
  const reader = new ByteReader(stored);
  return { topic, number: reader.varint(), topicId: topicId(reader.text()), partitions: reader.varint() };
}

export function headKey(topicNumber: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt32BE(topicNumber, 0);
  key.writeUInt32BE(partition, 4);
  return key;
}

export function encodeHead(nextOffset: number): Buffer {
  const value = Buffer.allocUnsafe(8);
  value.writeDoubleLE(nextOffset, 0);
  return value;
}

export function blockKey(topicNumber: number, partition: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(16);
  key.writeUInt32BE(topicNumber, 0);
  key.writeUInt32BE(partition, 4);
  writeU64(key, offset, 8);
  return key;
}

/** No part can hold the separator. */
export function commitKey(group: string, partition: PartitionId): Buffer {
  return textKey(`${group}\0${partition.topicId}\0${partition.partition}`);
}

export interface StoredCommit {
  readonly offset: number;
  /** Null: of a version that stored the generation's number, which says nothing of the store. */
  readonly generationId: string | null;
  readonly fence: number;
}

/** Bytes before the generation's id: offset, what was the generation's number, fence. */
const commitHeadBytes = 24;

/** Where older versions look for the generation's number they find 0, which none has, and begin at the markers. */
export function encodeCommit({ offset, generationId, fence }: OffsetCommit): Buffer {
  const value = Buffer.alloc(commitHeadBytes + Buffer.byteLength(generationId));
  value.writeDoubleLE(offset, 0);
  value.writeDoubleLE(fence, 16);
  value.write(generationId, commitHeadBytes);
  return value;
}

export function decodeCommit(stored: Buffer): StoredCommit {
  const generationId = stored.length > commitHeadBytes ? stored.toString('utf8', commitHeadBytes) : null;
  return { offset: stored.readDoubleLE(0), generationId, fence: stored.readDoubleLE(16) };
}
