import { assert, ByteFormatError, ByteReader, ByteWriter } from '@holdfast/model';
import { decodeConf, encodeConf } from './conf.ts';
import type { RaftMessage } from './messages.ts';
import type { RaftEntry } from './types.ts';

/** First byte of every message; another format gets another number. */
const formatVersion = 2;

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
  'snapshotProgress',
  'propose',
  'proposeReply',
  'commit',
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
    case 'commit':
      w.varint(m.commit).varint(m.commitTerm);
      break;
    case 'voteReply':
    case 'preVoteReply':
      encodeFlag(w, m.granted).varint(m.commit).varint(m.commitTerm);
      break;
    case 'snapshot':
      w.varint(m.index).varint(m.snapshotTerm);
      encodeConf(w, m.conf);
      w.varint(m.bytes).varint(m.offset).u32(m.sum).bytes(m.data);
      break;
    case 'snapshotProgress':
      w.varint(m.index).varint(m.offset);
      break;
    case 'propose':
      w.varint(m.requestId).bytes(m.data);
      break;
    case 'proposeReply':
      w.varint(m.requestId).varint(m.index).varint(m.entryTerm);
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
    case 'commit':
      return { type, ...head, commit: r.varint(), commitTerm: r.varint() };
    case 'voteReply':
    case 'preVoteReply':
      return { type, ...head, granted: decodeFlag(r), commit: r.varint(), commitTerm: r.varint() };
    case 'snapshot':
      return {
        type,
        ...head,
        index: r.varint(),
        snapshotTerm: r.varint(),
        conf: decodeConf(r),
        bytes: r.varint(),
        offset: r.varint(),
        sum: r.u32(),
        data: r.bytes(),
      };
    case 'snapshotProgress':
      return { type, ...head, index: r.varint(), offset: r.varint() };
    case 'propose':
      return { type, ...head, requestId: r.varint(), data: r.bytes() };
    case 'proposeReply':
      return { type, ...head, requestId: r.varint(), index: r.varint(), entryTerm: r.varint() };
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
    w.varint(entry.term).u8(entryKinds.indexOf(entry.kind)).bytes(entry.data);
  }
}

function decodeEntries(r: ByteReader, prevIndex: number): RaftEntry[] {
  const count = r.varint();
  const entries: RaftEntry[] = [];
  // Each takes at least three bytes, so a count that lies runs into the end; nothing is allocated for it beforehand.
  for (let i = 1; i <= count; i++) {
    const index = prevIndex + i;
    if (!Number.isSafeInteger(index)) throw new ByteFormatError(`entry index ${index} is too high`);
    entries.push({ term: r.varint(), index, kind: decodeKind(r), data: r.bytes() });
  }
  return entries;
}

/** By number, in messages and on the disk: only ever add at the end. */
export const entryKinds = ['data', 'conf'] as const satisfies readonly RaftEntry['kind'][];

function decodeKind(r: ByteReader): RaftEntry['kind'] {
  const number = r.u8();
  const kind = entryKinds[number];
  if (kind === undefined) throw new ByteFormatError(`entry of unknown kind ${number}`);
  return kind;
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
  if (m.type === 'snapshot' || m.type === 'propose') return m.data.length + 1024;
  if (m.type !== 'append') return 128;
  let bytes = 256;
  for (const entry of m.entries) bytes += entry.data.length + 16;
  return bytes;
}
