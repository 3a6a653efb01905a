import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { metas } from './arbitraries.test.ts';
import { shardsMax } from './limits.ts';
import type { NodeMeta } from './member.ts';
import { nodeMetaProblems } from './node-meta.ts';
import { decodeNodeMeta, encodeNodeMeta } from './node-meta-codec.ts';

const meta: NodeMeta = {
  uuid: '0f8fad5b-d9cb-469f-a165-70867728950e',
  startCounter: 7,
  version: '0.1.0',
  peerAddress: '10.0.0.13:7400',
  shardAddresses: ['10.0.0.13:7410', '10.0.0.13:7411', '10.0.0.13:7412'],
  httpAddress: '10.0.0.13:7480',
  zone: 'rack-2',
};

describe('node meta codec', () => {
  it('reads what it wrote', () => {
    fc.assert(fc.property(metas, (one) => assert.deepEqual(decodeNodeMeta(encodeNodeMeta(one)), { ...one })));
  });

  it('is small: a node of three shards in 70 bytes, one of 128 in less than the limit', () => {
    assert.ok(encodeNodeMeta(meta).length <= 70, `${encodeNodeMeta(meta).length} bytes`);
    const shardAddresses = Array.from({ length: shardsMax }, (_, i) => `10.0.0.13:${50000 + i}`);
    assert.deepEqual(decodeNodeMeta(encodeNodeMeta({ ...meta, shardAddresses })), { ...meta, shardAddresses });
  });

  it('answers any other bytes with an error, and throws at none', () => {
    const reject = (bytes: Uint8Array) => {
      const answer = decodeNodeMeta(bytes);
      if ('code' in answer) assert.equal(answer.code, 'NODE_META_MALFORMED');
      else assert.deepEqual(nodeMetaProblems(answer), []);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), reject), { numRuns: 2000 });
    const good = encodeNodeMeta(meta);
    for (let i = 0; i < good.length; i++) {
      assert.ok('code' in decodeNodeMeta(good.subarray(0, i)), `cut at ${i}`);
      for (const bit of [1, 0x80, 0xff]) reject(Uint8Array.from(good, (byte, at) => (at === i ? byte ^ bit : byte)));
    }
    assert.ok('code' in decodeNodeMeta(new Uint8Array(100_000)));
  });

  it('takes extra bytes at the end, as a later version may send', () => {
    assert.deepEqual(decodeNodeMeta(Uint8Array.from([...encodeNodeMeta(meta), 1, 2, 3])), meta);
  });

  it('lists every problem of a meta at once', () => {
    const bad: NodeMeta = {
      uuid: 'x',
      startCounter: -1,
      version: 'a\nb',
      peerAddress: 'here',
      shardAddresses: ['10.0.0.1:70000'],
      httpAddress: ':1',
      zone: '\ud800',
    };
    const paths = nodeMetaProblems(bad).map((problem) => problem.split(':')[0]);
    assert.deepEqual(paths, [
      'meta.uuid',
      'meta.startCounter',
      'meta.version',
      'meta.peerAddress',
      'meta.shardAddresses[0]',
      'meta.httpAddress',
      'meta.zone',
    ]);
    assert.throws(() => encodeNodeMeta(bad), /meta\.uuid/);
  });
});
