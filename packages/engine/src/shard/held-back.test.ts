import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempt, heldBackAfterMs } from './held-back.ts';

test('a try that fails when its attempt has ended is none of the next one', () => {
  const attempt = new Attempt();
  const commits = { what: 'commits', topic: null } as const;
  attempt.begin(commits, 0);
  attempt.end();
  attempt.failed(new Error('of before'));
  attempt.begin(commits, 1_000);
  const nowMs = 1_000 + heldBackAfterMs;
  assert.deepEqual(attempt.look(nowMs), { ...commits, begunMs: 1_000, tries: 0, error: null });
});
