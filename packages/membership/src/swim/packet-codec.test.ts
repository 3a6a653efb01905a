import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { addresses, metas } from '../arbitraries.test.ts';
import { incarnationMax } from '../limits.ts';
import { type MemberClaim, memberStates } from '../member.ts';
import type { News, SwimMessage, SwimPacket } from './packet.ts';
import { decodePacket, encodePacket, newsBytes, packetHeadBytes } from './packet-codec.ts';

const ids = fc
  .string({ minLength: 1, maxLength: 16, unit: fc.constantFrom('a', 'B', '7', '-', 'é', '漢') })
  .map(nodeId);
const seqs = fc.nat({ max: 2 ** 33 });

const claims: fc.Arbitrary<MemberClaim> = fc.record({
  id: ids,
  incarnation: fc.nat({ max: incarnationMax }),
  state: fc.constantFrom(...memberStates),
  gossipAddress: addresses,
  meta: metas,
});

const someNews: fc.Arbitrary<News> = fc.record({
  claim: claims,
  ageMs: fc.nat({ max: 100_000_000 }),
  accusers: fc.array(ids, { maxLength: 3 }),
});

const messages: fc.Arbitrary<SwimMessage> = fc.oneof(
  fc.record({ type: fc.constant('ping' as const), seq: seqs, target: ids }),
  fc.record({ type: fc.constantFrom('ack' as const, 'nack' as const), seq: seqs }),
  fc.record({ type: fc.constant('relayed' as const), seq: seqs }),
  fc.record({ type: fc.constant('pingReq' as const), seq: seqs, target: ids, address: addresses }),
  fc.record({ type: fc.constant('pull' as const), digest: fc.nat({ max: 2 ** 32 - 1 }), back: fc.boolean() }),
  fc.record({ type: fc.constant('news' as const) }),
);

const packets: fc.Arbitrary<SwimPacket> = fc.record({
  from: ids,
  message: messages,
  news: fc.array(someNews, { maxLength: 4 }),
});

describe('packet codec', () => {
  it('reads what it wrote, and knows its size beforehand', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const bytes = encodePacket(packet);
        // Ages are told in seconds, rounded up: one told as younger would bring a tombstone back.
        const news = packet.news.map((one) => ({ ...one, ageMs: Math.ceil(one.ageMs / 1000) * 1000 }));
        // What fast-check makes has no prototype.
        assert.deepEqual(decodePacket(bytes), structuredClone({ ...packet, news }));
        const most = packet.news.reduce(
          (sum, one) => sum + newsBytes(one),
          packetHeadBytes(packet.from, packet.message),
        );
        assert.ok(bytes.length <= most, `${bytes.length} bytes, expected at most ${most}`);
      }),
      { numRuns: 500 },
    );
  });

  it('throws at no bytes whatever, and takes none with something behind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodePacket(Uint8Array.of(1, ...bytes))),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(packets, fc.nat(), fc.nat({ max: 255 }), (packet, position, byte) => {
        const bytes = encodePacket(packet);
        const at = position % bytes.length;
        decodePacket(Uint8Array.from(bytes, (one, i) => (i === at ? byte : one)));
        assert.equal(decodePacket(bytes.subarray(0, at)), null);
        assert.equal(decodePacket(Uint8Array.of(...bytes, 0)), null);
      }),
      { numRuns: 1000 },
    );
  });
});
