import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteFormatError } from '@holdfast/model';
import fc from 'fast-check';
import {
  type ConfState,
  decodeConfEntry,
  decodeMessage,
  encodeConfEntry,
  encodeMessage,
  type RaftMessage,
} from './index.ts';

const id = fc.string({ unit: 'grapheme', maxLength: 12 });
const number = fc.oneof(fc.nat(), fc.maxSafeNat());
const data = fc.uint8Array({ maxLength: 40 });
const flag = fc.boolean();
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const kind = fc.constantFrom('data' as const, 'conf' as const);
const ids = fc.array(id, { maxLength: 4 });
const conf = fc
  .record({ voters: ids, votersOutgoing: ids, learners: ids, learnersNext: ids })
  .map((fields): ConfState => ({ ...fields }));
const head = { from: id, to: id, term: number };
const typed = <Type extends RaftMessage['type'], Fields extends object>(
  type: Type,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
) => fc.record({ type: fc.constant(type), ...head, ...fields });

const append = fc
  .record({
    ...head,
    prevIndex: fc.nat(),
    prevTerm: number,
    commit: number,
    rest: fc.array(fc.tuple(number, kind, data)),
  })
  .map(({ rest, ...fields }): RaftMessage => {
    const entries = rest.map(([term, k, bytes], i) => ({
      term,
      index: fields.prevIndex + 1 + i,
      kind: k,
      data: bytes,
    }));
    return { type: 'append', ...fields, entries };
  });

const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  append,
  typed('appendReply', { reject: flag, index: number, hintIndex: number, hintTerm: number }),
  typed('heartbeat', { commit: number, readRound: number }),
  typed('commit', { commit: number, commitTerm: number }),
  typed('heartbeatReply', { readRound: number }),
  typed('vote', { lastIndex: number, lastTerm: number, force: flag }),
  typed('voteReply', { granted: flag, commit: number, commitTerm: number }),
  typed('preVote', { lastIndex: number, lastTerm: number }),
  typed('preVoteReply', { granted: flag, commit: number, commitTerm: number }),
  typed('snapshot', { index: number, snapshotTerm: number, conf, bytes: number, offset: number, data, sum: u32 }),
  typed('snapshotProgress', { index: number, offset: number }),
  typed('propose', { requestId: number, data }),
  typed('proposeReply', { requestId: number, index: number, entryTerm: number }),
  typed('snapshotReply', { index: number }),
  typed('timeoutNow', {}),
  typed('readIndex', { requestId: number }),
  typed('readIndexReply', { requestId: number, index: number }),
) as fc.Arbitrary<RaftMessage>;

// fast-check makes records without a prototype; what is decoded has the usual one.
const plain = (m: RaftMessage) => ({ ...m });

function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof ByteFormatError)) throw error;
  }
}

test('every message survives the wire', () => {
  fc.assert(
    fc.property(message, (m) => {
      assert.deepEqual(decodeMessage(encodeMessage(m)), plain(m));
    }),
    { numRuns: 3000 },
  );
});

test('random bytes are refused as such, without another error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), decodesOrRefuses), { numRuns: 5000 });
  const headed = fc.tuple(fc.nat({ max: 17 }), fc.uint8Array({ maxLength: 100 }));
  fc.assert(
    fc.property(headed, ([type, rest]) => decodesOrRefuses(Uint8Array.of(2, type, 1, 97, 1, 98, ...rest))),
    { numRuns: 20_000 },
  );
});

test('a truncated, lengthened or changed message is refused or another message', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat({ max: 255 }), (m, at, byte) => {
      const bytes = encodeMessage(m);
      assert.throws(() => decodeMessage(bytes.subarray(0, at % bytes.length)), ByteFormatError);
      assert.throws(() => decodeMessage(Uint8Array.of(...bytes, byte)), ByteFormatError);
      const changed = bytes.slice();
      changed[at % bytes.length] = byte;
      decodesOrRefuses(changed);
    }),
    { numRuns: 3000 },
  );
});

test('a count of entries that lies ends with the bytes', () => {
  const bytes = encodeMessage({
    type: 'append',
    from: 'a',
    to: 'b',
    term: 1,
    prevIndex: 1,
    prevTerm: 1,
    commit: 0,
    entries: [],
  });
  const lying = Uint8Array.of(...bytes.subarray(0, bytes.length - 1), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);
  assert.throws(() => decodeMessage(lying), ByteFormatError);
});

test('payloads are views of the message, at any place in a buffer', () => {
  const bytes = encodeMessage({
    type: 'append',
    from: 'a',
    to: 'b',
    term: 1,
    prevIndex: 0,
    prevTerm: 0,
    commit: 0,
    entries: [{ term: 1, index: 1, kind: 'data', data: Uint8Array.of(5, 6) }],
  });
  const buffer = new Uint8Array(bytes.length + 7);
  buffer.set(bytes, 3);
  const decoded = decodeMessage(buffer.subarray(3, 3 + bytes.length));
  assert.ok(decoded.type === 'append');
  assert.deepEqual([...decoded.entries[0]!.data], [5, 6]);
  assert.equal(decoded.entries[0]!.data.buffer, buffer.buffer);
});

test('a configuration survives the log; anything else is refused', () => {
  fc.assert(
    fc.property(conf, fc.nat(), fc.nat({ max: 255 }), (c, at, byte) => {
      const bytes = encodeConfEntry(c);
      assert.deepEqual(decodeConfEntry(bytes), c);
      assert.throws(() => decodeConfEntry(bytes.subarray(0, at % bytes.length)), ByteFormatError);
      assert.throws(() => decodeConfEntry(Uint8Array.of(...bytes, byte)), ByteFormatError);
      assert.throws(() => decodeConfEntry(Uint8Array.of(9, ...bytes.subarray(1))), ByteFormatError);
    }),
    { numRuns: 2000 },
  );
});
