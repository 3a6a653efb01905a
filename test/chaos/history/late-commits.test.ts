import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecords, type LeaseRecord } from '@holdfast/lease';
import { type SessionId, topicId } from '@holdfast/model';
import type { HistoryEvent } from './event.ts';
import { commitsAfterTheEnd } from './late-commits.ts';

const ended: LeaseRecord = { kind: 'sessionEnded', session: 6 as SessionId, reason: 'expired' };
const data = Buffer.from(encodeRecords([ended])).toString('base64');
const commits = [[topicId('t'), 0, 10, 'life', 6]] as const;

function lateOf(commitUs: number): string[] {
  const events = [
    { thread: 1, event: { t: 1, k: 'session', session: 6, shard: 0 } },
    { thread: 2, event: { t: 5_000, k: 'entry', node: 'n2', index: 9, term: 1, data } },
    { thread: 1, event: { t: commitUs, k: 'commit', id: 1, commits } },
  ].sort((a, b) => a.event.t - b.event.t);
  return commitsAfterTheEnd({ events: events as { thread: number; event: HistoryEvent }[], threads: [] });
}

test('a commit under a session that others know to be over is found', () => {
  assert.deepEqual(lateOf(4_000), []);
  assert.deepEqual(lateOf(12_000), ['session 6 commits 1 offsets 7 ms late']);
});
