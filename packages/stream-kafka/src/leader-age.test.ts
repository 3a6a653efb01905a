import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaderAge, leaderAgeMsMax, quietMsMax } from './leader-age.ts';

test('a leader that brings records is asked for again by its age', () => {
  const age = new LeaderAge(1_000);
  for (let nowMs = 1_000; nowMs < 1_000 + leaderAgeMsMax; nowMs += 500) {
    age.answered(false, nowMs);
    assert.equal(age.isDue(nowMs), false);
  }
  assert.equal(age.isDue(1_000 + leaderAgeMsMax), true);
  age.looked(1_000 + leaderAgeMsMax);
  assert.equal(age.isDue(1_000 + leaderAgeMsMax), false);
});

test('a leader that brings nothing is asked for again soon, and once in that time', () => {
  const age = new LeaderAge(0);
  age.answered(false, 10_000);
  age.answered(true, 10_500);
  assert.equal(age.isDue(10_000 + quietMsMax - 1), false);
  assert.equal(age.isDue(10_000 + quietMsMax), true);
  age.looked(10_000 + quietMsMax);
  age.answered(true, 10_500 + quietMsMax);
  assert.equal(age.isDue(10_000 + 2 * quietMsMax - 1), false);
  assert.equal(age.isDue(10_000 + 2 * quietMsMax), true);
});
