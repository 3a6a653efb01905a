import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteFormatError } from '@holdfast/model';
import fc from 'fast-check';
import { decodeMessage, encodeMessage, type RaftMessage } from './index.ts';

const id = fc.string({ unit: 'grapheme', maxLength: 12 });
const number = fc.oneof(fc.nat(), fc.maxSafeNat());
const data = fc.uint8Array({ maxLength: 40 });
const flag = fc.boolean();
const head = { from: id, to: id, term: number };
const typed = <Type extends RaftMessage['type'], Fields extends object>(
  type: Type,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
) => fc.record({ type: fc.constant(type), ...head, ...fields });

const append = fc
  .record({ ...head, prevIndex: fc.nat(), prevTerm: number, commit: number, rest: fc.array(fc.tuple(number, data)) })
  .map(({ rest, ...fields }): RaftMessage => {
    const entries = rest.map(([term, bytes], i) => ({ term, index: fields.prevIndex + 1 + i, data: bytes }));
    return { type: 'append', ...fields, entries };
  });

const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  append,
  typed('appendReply', { reject: flag, index: number, hintIndex: number, hintTerm: number }),
  typed('heartbeat', { commit: number, readRound: number }),
  typed('heartbeatReply', { readRound: number }),
  typed('vote', { lastIndex: number, lastTerm: number, force: flag }),
  typed('voteReply', { granted: flag }),
  typed('preVote', { lastIndex: number, lastTerm: number }),
  typed('preVoteReply', { granted: flag }),
  typed('snapshot', { snapshot: fc.record({ index: number, term: number, voters: fc.array(id), data }) }),
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
      const decoded = decodeMessage(encodeMessage(m));
      if (m.type === 'snapshot' && decoded.type === 'snapshot') {
        assert.deepEqual({ ...decoded, snapshot: { ...decoded.snapshot } }, { ...m, snapshot: { ...m.snapshot } });
      } else assert.deepEqual(decoded, plain(m));
    }),
    { numRuns: 3000 },
  );
});

test('random bytes are refused as such, without another error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), decodesOrRefuses), { numRuns: 5000 });
  const headed = fc.tuple(fc.nat({ max: 14 }), fc.uint8Array({ maxLength: 100 }));
  fc.assert(
    fc.property(headed, ([type, rest]) => decodesOrRefuses(Uint8Array.of(1, type, 1, 97, 1, 98, ...rest))),
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
    entries: [{ term: 1, index: 1, data: Uint8Array.of(5, 6) }],
  });
  const buffer = new Uint8Array(bytes.length + 7);
  buffer.set(bytes, 3);
  const decoded = decodeMessage(buffer.subarray(3, 3 + bytes.length));
  assert.ok(decoded.type === 'append');
  assert.deepEqual([...decoded.entries[0]!.data], [5, 6]);
  assert.equal(decoded.entries[0]!.data.buffer, buffer.buffer);
});
