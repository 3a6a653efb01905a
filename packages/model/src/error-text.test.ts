import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorText, thrownText } from './error-text.ts';

test('whatever is thrown has a text', () => {
  class Mute extends Error {
    override get message(): string {
      throw new Error('not even this');
    }
  }
  const none = 'something that has no text';
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no prototype for you');
      },
    },
  );
  const cases: [unknown, string, string][] = [
    [new TypeError('broken'), 'broken', 'TypeError: broken'],
    ['a text', 'a text', 'a text'],
    [undefined, 'undefined', 'undefined'],
    [Symbol('sign'), 'Symbol(sign)', 'Symbol(sign)'],
    [Object.create(null), none, none],
    [{ toString: () => ({}) }, none, none],
    [new Mute(), none, none],
    [hostile, none, '[object Object]'],
  ];
  for (const [thrown, message, whole] of cases)
    assert.deepEqual([errorText(thrown), thrownText(thrown)], [message, whole]);
});
