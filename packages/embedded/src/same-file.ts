import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { FeedState, FileFingerprint } from './feed-state.ts';

const headBytesMax = 4096;
const chunkBytes = 1024 * 1024;

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

/** With all of the head that the file has got since, if it still begins as it did: a short head tells little. */
export async function lengthened(file: FileHandle, fingerprint: FileFingerprint): Promise<FileFingerprint> {
  if (fingerprint.headBytes >= headBytesMax) return fingerprint;
  const longer = await fingerprintOf(file);
  return (await beginsSo(file, fingerprint)) ? longer : fingerprint;
}

/** CRC-32 of the file's bytes from one place to another, behind those whose sum is `before`. */
export async function sumOf(file: FileHandle, from: number, to: number, before = 0): Promise<number> {
  const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, to - from));
  let sum = before;
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, to - at), at);
    if (bytesRead === 0) break;
    sum = crc32(chunk.subarray(0, bytesRead), sum);
    at += bytesRead;
  }
  return sum;
}

/**
 * Why a feed that got that far can't go on in this file; null when it can. One that was written to in place is known by
 * its head, for it may be long; one that took its place (rsync, `sed -i`, editors) by all that was fed.
 */
export async function whyOther(file: FileHandle, size: number, state: FeedState): Promise<string | null> {
  const { fingerprint, bytes, sum } = state;
  if (fingerprint === null) return 'it was a stream';
  if (size < bytes) return `it has only ${size} bytes now`;
  if (!(await beginsSo(file, fingerprint))) return 'it begins otherwise now';
  const { inode } = await fingerprintOf(file, 0);
  if (inode === fingerprint.inode || sum === (await sumOf(file, 0, bytes))) return null;
  return `another file took its place${sum === null ? '' : ', which does not begin with what was fed'}`;
}

async function beginsSo(file: FileHandle, { headBytes, headSum }: FileFingerprint): Promise<boolean> {
  return (await fingerprintOf(file, headBytes)).headSum === headSum;
}
