import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPlainDataProblem } from './plain-data.ts';

const problemOf = (state: unknown): string | null => {
  const found = findPlainDataProblem(state);
  return found === null ? null : `${found.path}: ${found.problem}`;
};

test('for definitions and tests, paths name what is on their way', () => {
  const cases: [unknown, RegExp][] = [
    [{ a: { f() {} } }, /^state\.a\.f: a function$/],
    [{ 'a b': [new Date(0)] }, /^state\['a b'\]\[0\]: an instance of Date: store Unix milliseconds$/],
    [{ m: new Map([['k', Symbol('s')]]) }, /^state\.m\.get\('k'\): a symbol$/],
    [{ m: new Map([[Buffer.from('x'), 1]]) }, /^state\.m key \(object\): an instance of Buffer/],
  ];
  for (const [state, text] of cases) assert.match(String(problemOf(state)), text);
});

test('an object that is reached by two ways is told, with both', () => {
  const part = { n: 1 };
  const two = (path: string, place: string) =>
    `${path}: the same object as ${place}, of which a copy, a backup or a move makes two`;
  assert.equal(problemOf({ list: [part], last: part }), two('state.last', 'state.list[0]'));
  assert.equal(problemOf(new Map([[part, { part }]])), two('state.get((object)).part', 'state key (object)'));
  const bytes = new Uint8Array(1);
  assert.equal(problemOf([bytes, bytes]), two('state[1]', 'state[0]'));
  assert.equal(problemOf([{ n: 1 }, { n: 1 }, 'x', 'x']), null);
});

test('what is frozen may be in a state twice; what is in it and can be changed may not', () => {
  const fixed = Object.freeze([Object.freeze({ n: 1 })]);
  assert.equal(problemOf({ a: fixed, b: fixed }), null);
  const half = Object.freeze([{ n: 1 }]);
  assert.match(String(problemOf({ a: half, b: half })), /^state\.b\[0\]: the same object as state\.a\[0\]/);
  const map = Object.freeze(new Map());
  assert.match(String(problemOf({ a: map, b: map })), /^state\.b: the same object as state\.a/);
});
