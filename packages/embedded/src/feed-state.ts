import { createHash } from 'node:crypto';
import { ByteReader, ByteWriter, type TopicId } from '@holdfast/model';

/** What tells one file from another that took its place: what it is called, and how it begins. */
export interface FileFingerprint {
  readonly inode: string;
  readonly headBytes: number;
  readonly headSum: string;
}

/** How far a feed is: written in the transaction that appends the lines. */
export interface FeedState {
  /** 1 for the first time that the input is fed into this topic. */
  readonly run: number;
  readonly complete: boolean;
  /** Of the input; all of it up to here is in the log. */
  readonly bytes: number;
  readonly records: number;
  /** Null for a stream. */
  readonly fingerprint: FileFingerprint | null;
  /** CRC-32 of these bytes; null for a stream, and for what an earlier version fed. */
  readonly sum: number | null;
}

/** One input through one mapping into one topic: a recreated topic has been fed nothing. */
export function feedKey(topic: TopicId, source: string, mapping: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([topic, source, mapping]))
    .digest();
}

export function encodeFeedState(state: FeedState): Uint8Array {
  const writer = new ByteWriter(160)
    .varint(state.run)
    .u8(state.complete ? 1 : 0)
    .varint(state.bytes)
    .varint(state.records);
  const { fingerprint } = state;
  writer.u8(fingerprint === null ? 0 : 1);
  if (fingerprint !== null) writer.text(fingerprint.inode).varint(fingerprint.headBytes).text(fingerprint.headSum);
  if (state.sum !== null) writer.varint(state.sum);
  return writer.finish();
}

export function decodeFeedState(stored: Uint8Array): FeedState {
  const reader = new ByteReader(stored);
  const head = { run: reader.varint(), complete: reader.u8() === 1, bytes: reader.varint(), records: reader.varint() };
  if (reader.u8() === 0) return { ...head, fingerprint: null, sum: null };
  const fingerprint = { inode: reader.text(), headBytes: reader.varint(), headSum: reader.text() };
  return { ...head, fingerprint, sum: reader.atEnd ? null : reader.varint() };
}
