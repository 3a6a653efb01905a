import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { collidingKey, unitOf } from './colliding-key.ts';

test('another key of the same unit', () => {
  const rng = new SeededRng(1);
  for (let i = 0; i < 200; i++) {
    const key = Uint8Array.from({ length: 16 }, () => rng.u32());
    const half = Uint8Array.from({ length: 8 }, () => rng.u32());
    const other = collidingKey(key, half);
    assert.notDeepEqual(other, key);
    assert.deepEqual(unitOf(other), unitOf(key));
  }
});
