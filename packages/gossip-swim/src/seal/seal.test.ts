import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { KeyRing, keysMax, parseKeyFile } from './key-ring.ts';
import { ReplayWindow } from './replay-window.ts';
import { SealedDatagrams, type SealIdentity, type SealMode } from './sealed-datagrams.ts';

const one = new Uint8Array(32).fill(1);
const two = new Uint8Array(32).fill(2);
const a: SealIdentity = { id: nodeId('a'), uuid: '00000000-0000-4000-8000-00000000000a', startCounter: 1 };
const b: SealIdentity = { id: nodeId('b'), uuid: '00000000-0000-4000-8000-00000000000b', startCounter: 1 };
const datagram = Uint8Array.of(0x48, 0x46, 1, 2, 3);

function sealOf(identity: SealIdentity, secrets = [one], mode?: SealMode, label = 'test'): SealedDatagrams {
  return new SealedDatagrams(new KeyRing(secrets), label, identity, mode);
}

/** As plain bytes, whatever kind of array it is. */
const opened = (seal: SealedDatagrams, bytes: Uint8Array) => {
  const inner = seal.open(bytes);
  return inner === null ? null : Array.from(inner);
};

describe('sealed datagrams', () => {
  it('open at members, once, within the overhead they claim', () => {
    const from = sealOf(a);
    const to = sealOf(b);
    const sealed = from.seal(datagram);
    assert.ok(sealed.length <= datagram.length + from.overheadBytes);
    assert.deepEqual(opened(to, sealed), Array.from(datagram));
    assert.equal(to.open(sealed), null, 'replayed');
    assert.deepEqual(opened(sealOf(b), sealed), Array.from(datagram), 'another receiver');
  });

  it('never show the same bytes twice, nor the datagram', () => {
    const from = sealOf(a);
    const [first, second] = [from.seal(datagram), from.seal(datagram)];
    assert.notDeepEqual(first, second);
    assert.ok(!Buffer.from(first).includes(Buffer.from(datagram)));
  });

  it('do not open with another key, another label, or a changed bit (I22)', () => {
    const sealed = sealOf(a).seal(datagram);
    assert.equal(sealOf(b, [two]).open(sealed), null);
    assert.equal(sealOf(b, [one], 'strict', 'other').open(sealed), null);
    const to = sealOf(b);
    for (let i = 0; i < sealed.length * 8; i++) {
      const bent = Uint8Array.from(sealed);
      bent[i >> 3]! ^= 1 << (i & 7);
      assert.equal(to.open(bent), null, `bit ${i}`);
    }
    for (let length = 0; length < sealed.length; length++) assert.equal(to.open(sealed.subarray(0, length)), null);
    assert.deepEqual(opened(to, sealed), Array.from(datagram), 'what was refused has spoiled nothing');
  });

  it('throw at no bytes whatever', () => {
    const to = sealOf(b);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), fc.boolean(), (bytes, marked) => {
        assert.equal(to.open(marked ? Uint8Array.of(0xa7, ...bytes) : bytes), null);
      }),
      { numRuns: 500 },
    );
  });

  it('begin anew with each start, and of an earlier start none opens any more', () => {
    const to = sealOf(b);
    const before = sealOf(a);
    const [early, late] = [before.seal(datagram), before.seal(datagram)];
    assert.ok(to.open(early) !== null);
    assert.ok(to.open(sealOf({ ...a, startCounter: 2 }).seal(datagram)) !== null);
    assert.equal(to.open(late), null);
  });

  it('change keys without a gap: install, use, remove', () => {
    const rings = [new KeyRing([one]), new KeyRing([one])];
    const [from, to] = rings.map((ring, i) => new SealedDatagrams(ring, 'test', i === 0 ? a : b));
    const passes = () => to!.open(from!.seal(datagram)) !== null && from!.open(to!.seal(datagram)) !== null;
    const steps = [
      (ring: KeyRing) => void ring.install(two),
      (ring: KeyRing) => ring.use(ring.keys[1]!.id),
      (ring: KeyRing) => ring.remove(ring.keys[1]!.id),
    ];
    for (const step of steps) {
      for (const ring of rings) {
        step(ring);
        assert.ok(passes());
      }
    }
    assert.deepEqual(
      rings[0]!.keys.map((key) => key.secret),
      [two],
    );
    assert.equal(sealOf(b, [one]).open(from!.seal(datagram)), null);
    assert.throws(() => rings[0]!.remove(rings[0]!.primary.id), /in use/);
    assert.throws(() => rings[0]!.use('nothing'), /not installed/);
  });

  it('get from plain to sealed without a gap', () => {
    const plain: SealedDatagrams = sealOf(a, [one], 'sendPlain');
    const steps: readonly SealMode[] = ['sendPlain', 'acceptPlain', 'strict'];
    for (let i = 0; i + 1 < steps.length; i++) {
      const [old, next] = [sealOf(a, [one], steps[i]!), sealOf(b, [one], steps[i + 1]!)];
      assert.ok(old.open(next.seal(datagram)) !== null && next.open(old.seal(datagram)) !== null, steps[i]);
    }
    assert.deepEqual(plain.seal(datagram), datagram);
    assert.equal(sealOf(b).open(datagram), null);
  });
});

describe('key files', () => {
  it('hold a key per line', () => {
    const text = `# gossip\n${Buffer.from(two).toString('base64')} # new\n\n${Buffer.from(one).toString('base64')}\n`;
    assert.deepEqual(parseKeyFile(text), [two, one]);
  });

  it('are refused when they hold none, too many, or what is no key, without showing it', () => {
    const line = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    assert.throws(() => parseKeyFile('# nothing'), /0 gossip keys/);
    const many = Array.from({ length: keysMax + 1 }, () => line(randomBytes(32)));
    assert.throws(() => parseKeyFile(many.join('\n')), /9 gossip keys/);
    const short = line(randomBytes(16));
    assert.throws(
      () => parseKeyFile(`${line(one)}\n${short}`),
      (error: Error) => /line 2/.test(error.message) && !error.message.includes(short),
    );
  });
});

describe('replay window', () => {
  it('takes each counter once, as a set does, unless it is too old', () => {
    const counters = fc.array(fc.oneof(fc.nat({ max: 3000 }), fc.nat({ max: 40 })), { maxLength: 200 });
    fc.assert(
      fc.property(counters, (list) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = list[0] ?? 0;
        for (const counter of list) {
          highest = Math.max(highest, counter);
          const expected = !seen.has(counter) && counter >= list[0]! && counter > highest - 1024;
          // Below the first one nothing is fresh, as long as the window reaches there.
          if (counter >= list[0]!) assert.equal(window.take(counter), expected, `${counter} of ${list}`);
          else assert.equal(window.take(counter), false);
          seen.add(counter);
        }
      }),
    );
  });
});
