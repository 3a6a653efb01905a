import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitAgainMsMax, commitAgainMsMin, LastCommit } from './last-commit.ts';

test('news are due at once, the same again after ten seconds, twice that, and so on to half a day', () => {
  const last = new LastCommit();
  assert.ok(last.isDue(0, 1, 0));
  let nowMs = 1_000;
  last.note(7, 1, nowMs);
  let againMs = commitAgainMsMin;
  for (let n = 0; n < 20; n++) {
    assert.equal(last.isDue(7, 1, nowMs + againMs - 1), false);
    nowMs += againMs;
    assert.ok(last.isDue(7, 1, nowMs));
    last.note(7, 1, nowMs);
    againMs = Math.min(2 * againMs, commitAgainMsMax);
  }
  assert.equal(againMs, commitAgainMsMax);
  assert.ok(last.isDue(8, 1, nowMs));
  assert.ok(last.isDue(7, 2, nowMs));
  last.note(8, 1, nowMs);
  assert.ok(last.isDue(8, 1, nowMs + commitAgainMsMin), 'another offset begins anew');
  last.forget();
  assert.ok(last.isDue(8, 1, nowMs));
});
