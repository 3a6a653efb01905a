import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
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
}

const headBytesMax = 4096;

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
  return writer.finish();
}

export function decodeFeedState(stored: Uint8Array): FeedState {
  const reader = new ByteReader(stored);
  const head = { run: reader.varint(), complete: reader.u8() === 1, bytes: reader.varint(), records: reader.varint() };
  if (reader.u8() === 0) return { ...head, fingerprint: null };
  const fingerprint = { inode: reader.text(), headBytes: reader.varint(), headSum: reader.text() };
  return { ...head, fingerprint };
}

/** Of the first `headBytes`, or of as many as the file now has, up to 4 KiB: a log file may have grown since. */
export async function fingerprintOf(file: FileHandle, headBytes = headBytesMax): Promise<FileFingerprint> {
  const { dev, ino } = await file.stat({ bigint: true });
  const head = Buffer.alloc(Math.min(headBytes, headBytesMax));
  let length = 0;
  while (length < head.length) {
    const { bytesRead } = await file.read(head, length, head.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const headSum = createHash('sha256').update(head.subarray(0, length)).digest('hex');
  return { inode: `${dev}:${ino}`, headBytes: length, headSum };
}

/** Whether a feed that got that far can go on in this file. */
export async function isSameFile(file: FileHandle, size: number, state: FeedState): Promise<boolean> {
  const { fingerprint } = state;
  if (fingerprint === null || size < state.bytes) return false;
  const now = await fingerprintOf(file, fingerprint.headBytes);
  return (
    now.inode === fingerprint.inode && now.headBytes === fingerprint.headBytes && now.headSum === fingerprint.headSum
  );
}
