import { assert, ByteFormatError, ByteReader, ByteWriter } from '@holdfast/model';
import type { RaftMessage } from './messages.ts';
import type { RaftEntry, Snapshot } from './types.ts';

/** First byte of every message; another format gets another number. */
const formatVersion = 1;

/** The second byte is the place in this list: only ever add at the end. */
const types = [
  'append',
  'appendReply',
  'heartbeat',
  'heartbeatReply',
  'vote',
  'voteReply',
  'preVote',
  'preVoteReply',
  'snapshot',
  'snapshotReply',
  'timeoutNow',
  'readIndex',
  'readIndexReply',
] as const satisfies readonly RaftMessage['type'][];

/** The message as bytes. Entries must follow `prevIndex` without gaps, so their indexes are not written. */
export function encodeMessage(m: RaftMessage): Uint8Array {
  const w = new ByteWriter(sizeHint(m));
  w.u8(formatVersion).u8(types.indexOf(m.type)).text(m.from).text(m.to).varint(m.term);
  switch (m.type) {
    case 'append':
      w.varint(m.prevIndex).varint(m.prevTerm).varint(m.commit);
      encodeEntries(w, m.prevIndex, m.entries);
      break;
    case 'appendReply':
      encodeFlag(w, m.reject).varint(m.index).varint(m.hintIndex).varint(m.hintTerm);
      break;
    case 'heartbeat':
      w.varint(m.commit).varint(m.readRound);
      break;
    case 'heartbeatReply':
      w.varint(m.readRound);
      break;
    case 'vote':
      encodeFlag(w.varint(m.lastIndex).varint(m.lastTerm), m.force);
      break;
    case 'preVote':
      w.varint(m.lastIndex).varint(m.lastTerm);
      break;
    case 'voteReply':
    case 'preVoteReply':
      encodeFlag(w, m.granted);
      break;
    case 'snapshot':
      encodeSnapshot(w, m.snapshot);
      break;
    case 'snapshotReply':
      w.varint(m.index);
      break;
    case 'timeoutNow':
      break;
    case 'readIndex':
      w.varint(m.requestId);
      break;
    case 'readIndexReply':
      w.varint(m.requestId).varint(m.index);
      break;
  }
  return w.finish();
}

/**
 * Reads what `encodeMessage` wrote. Payloads are views of `bytes`, not copies.
 * @throws ByteFormatError if the bytes are anything else
 */
export function decodeMessage(bytes: Uint8Array): RaftMessage {
  const r = new ByteReader(bytes);
  const version = r.u8();
  if (version !== formatVersion) throw new ByteFormatError(`Raft message of format ${version}, not ${formatVersion}`);
  const number = r.u8();
  const type = types[number];
  if (type === undefined) throw new ByteFormatError(`Raft message of unknown type ${number}`);
  const message = decodeBody(r, type, { from: r.text(), to: r.text(), term: r.varint() });
  if (!r.atEnd) throw new ByteFormatError(`Raft message ends at byte ${r.position} of ${bytes.length}`);
  return message;
}

function decodeBody(
  r: ByteReader,
  type: RaftMessage['type'],
  head: { from: string; to: string; term: number },
): RaftMessage {
  switch (type) {
    case 'append': {
      const prevIndex = r.varint();
      const fields = { prevIndex, prevTerm: r.varint(), commit: r.varint() };
      return { type, ...head, ...fields, entries: decodeEntries(r, prevIndex) };
    }
    case 'appendReply':
      return {
        type,
        ...head,
        reject: decodeFlag(r),
        index: r.varint(),
        hintIndex: r.varint(),
        hintTerm: r.varint(),
      };
    case 'heartbeat':
      return { type, ...head, commit: r.varint(), readRound: r.varint() };
    case 'heartbeatReply':
      return { type, ...head, readRound: r.varint() };
    case 'vote':
      return { type, ...head, lastIndex: r.varint(), lastTerm: r.varint(), force: decodeFlag(r) };
    case 'preVote':
      return { type, ...head, lastIndex: r.varint(), lastTerm: r.varint() };
    case 'voteReply':
    case 'preVoteReply':
      return { type, ...head, granted: decodeFlag(r) };
    case 'snapshot':
      return { type, ...head, snapshot: decodeSnapshot(r) };
    case 'snapshotReply':
      return { type, ...head, index: r.varint() };
    case 'timeoutNow':
      return { type, ...head };
    case 'readIndex':
      return { type, ...head, requestId: r.varint() };
    case 'readIndexReply':
      return { type, ...head, requestId: r.varint(), index: r.varint() };
  }
}

function encodeEntries(w: ByteWriter, prevIndex: number, entries: readonly RaftEntry[]): void {
  w.varint(entries.length);
  let index = prevIndex;
  for (const entry of entries) {
    index++;
    assert(entry.index === index, `entry ${entry.index} where ${index} should be`);
    w.varint(entry.term).bytes(entry.data);
  }
}

function decodeEntries(r: ByteReader, prevIndex: number): RaftEntry[] {
  const count = r.varint();
  const entries: RaftEntry[] = [];
  // Each takes at least two bytes, so a count that lies runs into the end; nothing is allocated for it beforehand.
  for (let i = 1; i <= count; i++) {
    const index = prevIndex + i;
    if (!Number.isSafeInteger(index)) throw new ByteFormatError(`entry index ${index} is too high`);
    entries.push({ term: r.varint(), index, data: r.bytes() });
  }
  return entries;
}

/** A snapshot as bytes, in messages and for the disk. */
export function encodeSnapshot(w: ByteWriter, snapshot: Snapshot): void {
  w.varint(snapshot.index).varint(snapshot.term).varint(snapshot.voters.length);
  for (const voter of snapshot.voters) w.text(voter);
  w.bytes(snapshot.data);
}

/** Reads what `encodeSnapshot` wrote; `data` is a view. */
export function decodeSnapshot(r: ByteReader): Snapshot {
  const index = r.varint();
  const term = r.varint();
  const count = r.varint();
  const voters: string[] = [];
  for (let i = 0; i < count; i++) voters.push(r.text());
  return { index, term, voters, data: r.bytes() };
}

function encodeFlag(w: ByteWriter, flag: boolean): ByteWriter {
  return w.u8(flag ? 1 : 0);
}

function decodeFlag(r: ByteReader): boolean {
  const byte = r.u8();
  if (byte > 1) throw new ByteFormatError(`flag of value ${byte}`);
  return byte === 1;
}

/** About the encoded size, so that large payloads are not copied again and again while the writer grows. */
function sizeHint(m: RaftMessage): number {
  if (m.type === 'snapshot') return m.snapshot.data.length + 1024;
  if (m.type !== 'append') return 128;
  let bytes = 256;
  for (const entry of m.entries) bytes += entry.data.length + 16;
  return bytes;
}
