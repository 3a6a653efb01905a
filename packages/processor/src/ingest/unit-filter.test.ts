import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { UnitFilter } from './unit-filter.ts';

test('a filter never denies what was noted, and denies most of what was not', () => {
  const rng = new SeededRng(7);
  let mistaken = 0;
  for (let round = 0; round < 100; round++) {
    const filter = new UnitFilter();
    const noted = Array.from({ length: 256 }, () => rng.u32());
    for (const lo of noted) filter.note(lo);
    // Half of the unit's words come signed.
    for (const lo of noted) assert.ok(filter.mayHave(lo) && filter.mayHave(lo | 0));
    for (let i = 0; i < 100; i++) if (filter.mayHave(rng.u32())) mistaken++;
  }
  assert.ok(mistaken < 1_000, `${mistaken} of 10,000`);
});
