import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, SeededRng } from '@holdfast/model';
import { HotUnits } from './hot-units.ts';

test('finds the units with most records among a million others, and says about how many', () => {
  const rng = new SeededRng(3);
  const hot = new HotUnits();
  assert.equal(hot.windowEnded(1_000, 8), null);
  const total = 200_000;
  for (let i = 0; i < total; i++) {
    const dice = randomBelow(rng, 100);
    if (dice < 20) hot.note(7, 7);
    else if (dice < 28) hot.note(8, 8);
    else hot.note(randomBelow(rng, 1_000_000), 1);
  }
  assert.equal(hot.windowEnded(5_999, 8), null);
  const found = hot.windowEnded(6_000, 8)!;
  assert.deepEqual(
    found.slice(0, 2).map(({ hi }) => hi),
    [7, 8],
  );
  // A lower bound: what was counted before may have been another's.
  assert.ok(found[0]!.share > 0.17 && found[0]!.share < 0.21, `${found[0]!.share}`);
  assert.ok(Math.abs(found[0]!.recordsPerSec - 0.19 * (total / 5)) < 0.03 * (total / 5));
  assert.deepEqual(hot.windowEnded(11_000, 8), [], 'a new window begins');
});

test('even traffic makes nobody hot', () => {
  const hot = new HotUnits();
  hot.windowEnded(0, 8);
  for (let i = 0; i < 100_000; i++) hot.note(i % 10_000, 5);
  assert.deepEqual(hot.windowEnded(5_000, 8), []);
});
