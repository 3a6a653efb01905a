import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { viewJson } from './view-json.ts';

test('what JSON has is shown as JSON has it', () => {
  const same = (value: unknown) => assert.equal(JSON.stringify(viewJson(value)), JSON.stringify(value) ?? 'null');
  fc.assert(fc.property(fc.jsonValue(), same));
  class Place {
    city = 'Oslo';
  }
  const forged = JSON.parse('{"__proto__":{"a":1},"b":2}') as object;
  const others = [
    undefined,
    () => 1,
    Symbol('s'),
    { a: undefined, f() {} },
    [undefined, () => 1],
    new Array(2),
    forged,
  ];
  for (const value of [...others, new Date(0), new Place(), { toJSON: () => ({ n: 1 }) }, Object.create(null)]) {
    same(value);
    same([{ value }]);
  }
});

test('what JSON.stringify throws at, or shows nothing of, is shown', () => {
  const cases: [unknown, unknown][] = [
    [
      { total: 5n, big: -(2n ** 70n) },
      { total: '5', big: '-1180591620717411303424' },
    ],
    [
      [Number.NaN, Infinity, -Infinity],
      ['NaN', 'Infinity', '-Infinity'],
    ],
    [new Map([['x', { n: 1n }]]), { x: { n: '1' } }],
    [new Map([['__proto__', 1]]), JSON.parse('{"__proto__":1}')],
    [
      new Map<unknown, unknown>([
        [1, 'a'],
        ['1', undefined],
      ]),
      [
        [1, 'a'],
        ['1', null],
      ],
    ],
    [
      { m: new Map(), s: new Set([1, new Set(['a'])]) },
      { m: {}, s: [1, ['a']] },
    ],
    [
      [Uint8Array.of(0, 255), Buffer.of(7), new Uint8Array(0)],
      ['0x00ff', '0x07', '0x'],
    ],
    [
      [Float64Array.of(1.5, Number.NaN), BigInt64Array.of(-1n)],
      [[1.5, 'NaN'], ['-1']],
    ],
  ];
  for (const [value, shown] of cases) {
    assert.deepStrictEqual(viewJson(value), shown);
    assert.deepStrictEqual(JSON.parse(JSON.stringify(shown)), shown);
  }
  const cycle = new Map<string, unknown>();
  cycle.set('a', [cycle]);
  assert.throws(() => viewJson(cycle), /it contains itself/);
});
