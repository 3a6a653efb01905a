export { assert, InvariantError } from './assert.ts';
export { ByteFormatError, ByteReader, ByteWriter, copyBytes } from './bytes.ts';
export type { Clock } from './clock.ts';
export { crc32c } from './crc32c.ts';
export { errorText, thrownText } from './error-text.ts';
export {
  type Brand,
  bucketCount,
  bucketOf,
  formatUnit,
  type LeaseEpoch,
  type LogIndex,
  leaseEpoch,
  logIndex,
  type NodeId,
  nodeId,
  type Offset,
  offset,
  type PartitionId,
  partitionKey,
  type SessionId,
  type ShardIndex,
  type ShardRef,
  sessionId,
  shardIndex,
  type Term,
  type TopicId,
  term,
  topicId,
  type Unit,
} from './ids.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { type Rng, randomBelow, randomRatio, SeededRng } from './rng.ts';
export { hashUnit, unitHashOut } from './unit-hash.ts';
export { UnitMap } from './unit-map.ts';
export { compareBytes, decodeUtf8, encodeUtf8 } from './utf8.ts';
