import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8 } from '@holdfast/model';
import fc from 'fast-check';
import { cloneState, restoreState } from './clone-state.ts';
import { StateError } from './errors.ts';
import { StateStore } from './state-codec.ts';
import { StateDecoder } from './state-decoder.ts';
import { StateEncoder } from './state-encoder.ts';

const none = new Uint8Array(0);
const roundTrip = (value: unknown): unknown =>
  new StateDecoder(decodeUtf8).decode(new StateEncoder(1 << 20).encode(none, value), 0);

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'city', 'country', 'count', '0', '7', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    -0,
    0,
    NaN,
    Infinity,
    -Infinity,
    127,
    128,
    2 ** 32,
    2 ** 48,
    -(2 ** 32) - 1,
    2 ** 53,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.string({ unit: 'grapheme-composite' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
  fc.array(fc.maxSafeInteger(), { maxLength: 8 }),
);
const { plain } = fc.letrec<{ plain: unknown }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(fc.oneof(tie('plain'), fc.constant(undefined)), { maxLength: 40 }),
    fc.array(fc.tuple(key, tie('plain')), { maxLength: 40 }).map((entries) => ownEntries(entries, {})),
    fc.array(fc.tuple(key, tie('plain')), { maxLength: 5 }).map((entries) => ownEntries(entries, Object.create(null))),
    fc.array(fc.tuple(tie('plain'), tie('plain')), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc.array(tie('plain'), { maxLength: 6 }).map((items) => new Set(items)),
    fc.record({ city: fc.string(), count: fc.nat(), seen: tie('plain') }),
  ),
}));

function ownEntries(entries: readonly (readonly [string, unknown])[], target: object): object {
  for (const [name, value] of entries) {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return target;
}

test('what is written is read again, and the same value gives the same bytes', () => {
  const used = new StateEncoder(1 << 20);
  fc.assert(
    fc.property(plain, (value) => {
      const bytes = new StateEncoder(1 << 20).encode(none, value);
      assert.deepEqual(used.encode(none, value), bytes, 'what was written before must not matter');
      const again = new StateDecoder(decodeUtf8).decode(bytes, 0);
      assert.deepStrictEqual(again, value);
      assert.deepEqual(used.encode(none, again), bytes);
    }),
    { numRuns: 400 },
  );
});

test('a copy is equal and shares nothing; restoring puts it back into the same object', () => {
  fc.assert(
    fc.property(plain, plain, (value, other) => {
      const copy = cloneState(value);
      assert.deepStrictEqual(copy, value);
      assertNothingShared(copy, value);
      const before = { a: copy, list: [copy] };
      const target: Record<string, unknown> = { z: other, a: other };
      restoreState(target, before);
      assert.deepStrictEqual(target, { a: copy, list: [copy] });
      assert.deepEqual(Object.keys(target), ['a', 'list']);
    }),
    { numRuns: 200 },
  );
});

test('each kind of root is restored in place', () => {
  for (const [root, spoil] of [
    [[1, [2]], (it: unknown[]) => it.splice(0, 2, 'x')],
    [new Map([['a', { n: 1 }]]), (it: Map<string, unknown>) => it.set('b', 1).delete('a')],
    [new Set([1, 2]), (it: Set<number>) => it.clear()],
    [{ a: { b: 1 }, c: 2 }, (it: Record<string, unknown>) => Object.assign(it, { d: 1, a: 2 })],
    [ownEntries([['__proto__', { n: 1 }]], {}), (it: object) => Reflect.deleteProperty(it, '__proto__')],
  ] as [object, (it: never) => unknown][]) {
    const before = cloneState(root);
    spoil(root as never);
    assert.notDeepEqual(root, before);
    restoreState(root, cloneState(before));
    assert.deepStrictEqual(root, before);
    assert.equal(Object.getPrototypeOf(root), Object.getPrototypeOf(before));
  }
});

test('__proto__ is a key like others, prototypes stay as they are', () => {
  const evil = JSON.parse('{"__proto__": {"polluted": true}, "a": [{"__proto__": 1}, {"__proto__": 2}]}') as object;
  const again = roundTrip(evil) as Record<string, unknown>;
  assert.deepStrictEqual(Object.keys(again), ['__proto__', 'a']);
  assert.equal(Object.getPrototypeOf(again), Object.prototype);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  const counts = Object.create(null) as Record<string, number>;
  counts.hits = 1;
  const readCounts = roundTrip({ counts }) as { counts: Record<string, number> };
  assert.equal(
    Object.getPrototypeOf(readCounts.counts),
    null,
    'else counts.toString would be a function after a restart',
  );
});

test('undefined properties are left out, undefined elsewhere stays', () => {
  const again = roundTrip({ a: undefined, b: [undefined, 1], c: new Map([['k', undefined]]) });
  assert.deepStrictEqual(again, { b: [undefined, 1], c: new Map([['k', undefined]]) });
});

test('what is not plain data is told with its place, which names nothing of it', () => {
  class Place {
    city = 'Oslo';
  }
  const cycle: { list: unknown[] } = { list: [] };
  cycle.list.push({ back: cycle });
  let deep: unknown = 1;
  for (let i = 0; i < 70; i++) deep = [deep];
  const cases: [unknown, string][] = [
    [{ n: 1, a: { f() {} } }, 'state property 1 property 0: a function'],
    [{ places: [new Place()] }, 'state property 0[0]: an instance of Place: store its fields as a plain object'],
    [{ 'a@example.org': new Date(0) }, 'state property 0: an instance of Date: store Unix milliseconds'],
    [new Map([['a@example.org', Symbol('s')]]), 'state value 0: a symbol'],
    [new Map([[Buffer.from('x'), 1]]), 'state key 0: an instance of Buffer: store a Uint8Array'],
    [new Set([1, new Place()]), 'state member 1: an instance of Place: store its fields as a plain object'],
    [cycle, 'state property 0[0] property 0: a cycle: the value contains itself'],
    [deep, `state${'[0]'.repeat(65)}: nested more than 64 deep`],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => new StateEncoder(1 << 20).encode(none, value), { code: 'STATE_NOT_PLAIN', message });
    if (!message.includes('function') && !message.includes('symbol')) {
      assert.throws(() => cloneState(value), { code: 'STATE_NOT_PLAIN', message });
    }
  }
});

test('the limit of bytes holds, exactly and before the memory is taken', () => {
  const bytes = new StateEncoder(1 << 20).encode(none, 'x'.repeat(100));
  assert.equal(new StateEncoder(bytes.length).encode(none, 'x'.repeat(100)).length, bytes.length);
  for (const value of ['x'.repeat(100), 'x'.repeat(1 << 20), new Uint8Array(1 << 24)]) {
    assert.throws(() => new StateEncoder(bytes.length - 1).encode(none, value), { code: 'STATE_TOO_LARGE' });
  }
});

test('damaged bytes are refused, whatever they are', () => {
  const decoder = new StateDecoder(decodeUtf8);
  const refused = (bytes: Uint8Array) => {
    try {
      decoder.decode(bytes, 0);
    } catch (error) {
      assert.ok(error instanceof StateError, String(error));
      assert.equal(error.code, 'STATE_FORMAT');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), refused), { numRuns: 3000 });
  fc.assert(
    fc.property(plain, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = new StateEncoder(1 << 20).encode(none, value);
      assert.throws(() => decoder.decode(bytes.subarray(0, bytes.length - 1), 0), StateError);
      bytes[at % bytes.length] = byte;
      refused(bytes);
    }),
    { numRuns: 300 },
  );
  refused(Uint8Array.from(new Array(5000).fill(0xe1)));
});

const spec = { idle: '1h', initial: () => ({ n: 0 }) };

test('older versions are upgraded step by step, missing steps are named', () => {
  const one = new StateStore({ ...spec, version: 1 }, decodeUtf8).encode({ n: 5 });
  const upgrade = {
    1: (old: { n: number }) => ({ n: old.n, m: 1 }),
    2: (old: { n: number; m: number }) => ({ n: old.n * 10 + old.m }),
  };
  assert.deepEqual(new StateStore({ ...spec, version: 3, upgrade }, decodeUtf8).decode(one), { n: 51 });
  const gap = new StateStore({ ...spec, version: 3, upgrade: { 2: upgrade[2] } }, decodeUtf8);
  assert.throws(() => gap.decode(one), { code: 'STATE_VERSION', message: /version 1.*no step 1/ });
  const newer = new StateStore({ ...spec, version: 300, upgrade }, decodeUtf8).encode({ n: 5 });
  assert.throws(() => gap.decode(newer), { code: 'STATE_VERSION', message: /version 300.*up to 3/ });
  const thrower = new StateStore({ ...spec, version: 2, upgrade: { 1: (old) => old.x.y } }, decodeUtf8);
  assert.throws(() => thrower.decode(one), { code: 'STATE_UPGRADE', message: /from state version 1 threw/ });
  assert.throws(() => gap.decode(none), { code: 'STATE_FORMAT' });
  assert.throws(() => gap.decode(Uint8Array.of(9, 3, 0)), { code: 'STATE_FORMAT' });
});

test("an author's codec replaces the form, not the version", () => {
  const codec = {
    encode: (state: { n: number }) => Uint8Array.of(state.n),
    decode: (bytes: Uint8Array, version: number) => ({ n: bytes[0]!, version }),
  };
  const two = new StateStore({ ...spec, version: 2, codec }, decodeUtf8);
  const bytes = two.encode({ n: 7 });
  assert.deepEqual(two.decode(bytes), { n: 7, version: 2 });
  const three = new StateStore({ ...spec, version: 3, codec, upgrade: { 2: (old) => ({ n: old.n + 1 }) } }, decodeUtf8);
  assert.deepEqual(three.decode(bytes), { n: 8 });
  const plainBytes = new StateStore({ ...spec, version: 2 }, decodeUtf8).encode({ n: 1 });
  assert.deepEqual(two.decode(plainBytes), { n: 1 }, 'a codec may be introduced later');
  assert.throws(() => new StateStore({ ...spec, version: 2 }, decodeUtf8).decode(bytes), { code: 'STATE_FORMAT' });
});

test('a codec that gives no bytes, and an upgrade or a codec that gives no state, are told', () => {
  for (const encoded of ['00012', [1, 2], { length: 2 }, undefined, null, new Uint16Array(2)]) {
    const codec = { encode: () => encoded as Uint8Array, decode: () => ({ n: 0 }) };
    const store = new StateStore({ ...spec, version: 1, codec }, decodeUtf8);
    const message = 'state.codec.encode gave no Uint8Array';
    assert.throws(() => store.encode({ n: 12 }), { name: 'StateError', code: 'STATE_CODEC', message });
  }
  const codec = { encode: () => Buffer.of(7), decode: (): unknown => ({ n: 0 }) };
  const bytes = new StateStore({ ...spec, version: 1, codec }, decodeUtf8).encode({ n: 12 });
  const two = new StateStore({ ...spec, version: 2, codec, upgrade: { 1: () => undefined } }, decodeUtf8);
  const text = 'the upgrade to state version 2 gives no object';
  assert.throws(() => two.decode(bytes), { name: 'StateError', code: 'STATE_UPGRADE', message: text });
  const decodesNull = new StateStore({ ...spec, version: 1, codec: { ...codec, decode: () => null } }, decodeUtf8);
  assert.throws(() => decodesNull.decode(bytes), {
    code: 'STATE_UPGRADE',
    message: 'the stored value gives no object',
  });
});

function assertNothingShared(a: unknown, b: unknown): void {
  if (typeof a !== 'object' || a === null) return;
  assert.notEqual(a, b);
  if (a instanceof Map || a instanceof Set) {
    const items = a instanceof Map ? [...a].flat(1) : [...a];
    const others = b instanceof Map ? [...b].flat(1) : [...(b as Set<unknown>)];
    for (let i = 0; i < items.length; i++) assertNothingShared(items[i], others[i]);
  } else if (!(a instanceof Uint8Array)) {
    for (const name of Object.keys(a)) {
      assertNothingShared((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]);
    }
  }
}
