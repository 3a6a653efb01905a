import type { TopicInfo } from '@holdfast/engine';
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
  readonly generation: number;
  readonly fence: number;
}

export function encodeCommit(commit: StoredCommit): Buffer {
  const value = Buffer.allocUnsafe(24);
  value.writeDoubleLE(commit.offset, 0);
  value.writeDoubleLE(commit.generation, 8);
  value.writeDoubleLE(commit.fence, 16);
  return value;
}

export function decodeCommit(stored: Buffer): StoredCommit {
  return { offset: stored.readDoubleLE(0), generation: stored.readDoubleLE(8), fence: stored.readDoubleLE(16) };
}
