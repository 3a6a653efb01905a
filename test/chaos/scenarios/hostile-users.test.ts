import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { drawHostileUsers } from '@holdfast/testkit';

test('F40 has every difficult key and pairs of one unit, whatever its seed', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const users = drawHostileUsers(new SeededRng(seed), 40);
    const text = users.map(({ key }) => Buffer.from(key).toString());
    for (const key of ['__proto__', '', '\0', '\u00e9', 'e\u0301', '10', '010']) assert.ok(text.includes(key), key);
    assert.equal(new Set(users.map(({ hex }) => hex)).size, 40);
    assert.ok(40 - new Set(users.map(({ unitKey }) => unitKey)).size >= 10);
    assert.deepEqual(
      users.map(({ index }) => index),
      users.map((_, i) => i),
    );
  }
});
