import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { DatagramFramer, datagramFormats } from '../datagram.ts';
import { nullSeal } from '../seal/datagram-seal.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { encodePayload, messageTypes, parseMessages } from './messages.ts';
import { metaOf } from './test-cluster.test.ts';

const envelope = encodeEnvelope({ id: nodeId('a'), left: false, meta: metaOf('a') });
const claim = { host: '127.0.0.1:7500', state: 1, incarnation: 2 ** 40, meta: envelope };

function message(type: number, data: unknown): Buffer {
  return Buffer.concat([Buffer.from([type]), encodePayload(data)]);
}

function compound(...parts: Buffer[]): Buffer {
  const header = Buffer.alloc(3);
  header.writeUInt16LE(parts.length, 1);
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(part.length);
    return [length, part];
  });
  return Buffer.concat([header, ...framed]);
}

describe('gossip messages', () => {
  it('reads what swim is given to send', () => {
    const parts = [message(messageTypes.sync, claim), message(messageTypes.update, claim)];
    assert.deepEqual(parseMessages(compound(...parts)), {
      messages: [
        { type: 'sync', data: claim },
        { type: 'update', data: claim },
      ],
      malformedCount: 0,
    });
    assert.deepEqual(parseMessages(message(messageTypes.pingReq, { seq: 7, destination: 'x:1' }))?.messages, [
      { type: 'pingreq', data: { seq: 7, destination: 'x:1' } },
    ]);
  });

  it('refuses what would ask for more than one answer, and nesting', () => {
    const ping = message(messageTypes.ping, { seq: 1 });
    assert.equal(parseMessages(compound(...Array.from({ length: 255 }, () => ping))), null);
    assert.deepEqual(parseMessages(compound(compound(ping))), { messages: [], malformedCount: 1 });
  });

  it('skips a message it does not know, and keeps its neighbours', () => {
    const parsed = parseMessages(compound(message(99, { seq: 1 }), message(messageTypes.ack, { seq: 2 })));
    assert.deepEqual(parsed, { messages: [{ type: 'ack', data: { seq: 2 } }], malformedCount: 1 });
  });

  it('throws at no bytes whatever', () => {
    const good = compound(message(messageTypes.sync, claim), message(messageTypes.update, claim));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseMessages(bytes)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const parsed = parseMessages(Uint8Array.from(good, (b, i) => (i === at ? byte : b)));
        for (const { type, data } of parsed?.messages ?? []) if (type === 'update') decodeEnvelope(data.meta);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('gossip datagrams', () => {
  const framer = new DatagramFramer(datagramFormats.npmSwim, 'test', nullSeal, 512);

  it('come back as they were sent, within one cluster', () => {
    const body = Buffer.from([1, 2, 3]);
    assert.deepEqual(Buffer.from(framer.unwrap(framer.wrap(body)) as Uint8Array), body);
    assert.equal(
      new DatagramFramer(datagramFormats.npmSwim, 'other', nullSeal, 512).unwrap(framer.wrap(body)),
      'foreign',
    );
    assert.equal(framer.unwrap(new Uint8Array(513)), 'oversized');
    assert.equal(framer.unwrap(new Uint8Array(0)), 'foreign');
  });

  it('are sealed as a whole', () => {
    const inverted = (bytes: Uint8Array) => Uint8Array.from([...bytes, 0xee], (byte) => byte ^ 0xff);
    const seal = {
      overheadBytes: 1,
      seal: inverted,
      open: (bytes: Uint8Array) => (bytes.at(-1) === 0x11 ? inverted(bytes).subarray(0, bytes.length - 1) : null),
    };
    const sealed = new DatagramFramer(datagramFormats.npmSwim, 'test', seal, 512);
    assert.equal(sealed.bodyBytesMax, 504);
    assert.deepEqual(Array.from(sealed.unwrap(sealed.wrap(Uint8Array.of(9))) as Uint8Array), [9]);
    assert.equal(sealed.unwrap(framer.wrap(Uint8Array.of(9))), 'unsealed');
  });
});
