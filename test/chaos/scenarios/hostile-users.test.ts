import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, SeededRng } from '@holdfast/model';
import { drawHostile } from './f40-hostile-ids.ts';

test('F40: whatever the seed, all keys that it speaks of are among its users', () => {
  const named = ['__proto__', '', '\0', '\0\0', '10', '010', '\u00e9', 'e\u0301'].map(encodeUtf8);
  const halves = [Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xed, 0xb0, 0x80)];
  for (let seed = 1; seed <= 20; seed++) {
    const users = drawHostile(new SeededRng(seed), 40);
    assert.deepEqual(
      users.map(({ index }) => index),
      users.map((_, i) => i),
    );
    const keys = new Set(users.map(({ hex }) => hex));
    assert.equal(keys.size, 40);
    for (const key of [...named, ...halves])
      assert.ok(keys.has(Buffer.from(key).toString('hex')), `seed ${seed}: ${key}`);
    assert.equal(new Set(users.map(({ unitKey }) => unitKey)).size, 32, 'eight pairs of one unit');
  }
});
