import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ack, diskWith, entry, newLeader, newNode, ofType, settle } from '../test/network.ts';

test('5.3: the own log of a leader counts only when it is on disk', () => {
  const a = newLeader({ voters: ['a', 'b'] });
  a.step(ack('b', 1));
  settle(a);
  a.propose(Uint8Array.of(1));
  const ready = a.ready();
  assert.deepEqual(
    ready.entries.map(({ index }) => index),
    [2],
  );
  assert.equal(ofType(ready.promptMessages, 'append').length, 1, 'thesis, 10.2.1: the follower writes meanwhile');
  a.step(ack('b', 2));
  assert.equal(a.status().commit, 1);
  a.advance(ready);
  assert.equal(a.status().commit, 2);
});

test('5.3: what a follower says waits for its disk, what it applies only if it is not there yet', () => {
  const b = newNode({ id: 'b' });
  const head = { type: 'append', from: 'a', to: 'b', term: 1 } as const;
  b.step({ ...head, prevIndex: 0, prevTerm: 0, entries: [entry(1, 1), entry(1, 2)], commit: 0 });
  settle(b);
  b.step({ ...head, prevIndex: 2, prevTerm: 1, entries: [entry(1, 3)], commit: 3 });
  const ready = b.ready();
  assert.deepEqual(ready.promptMessages, []);
  assert.equal(ofType(ready.messages, 'appendReply').length, 1);
  assert.deepEqual([ready.committedEntries.length, ready.promptCount], [3, 2]);
});

test('5.3: a commit is taken where the logs agree, and passed over elsewhere', () => {
  const b = newNode({ id: 'b', restored: diskWith([1, 1, 2]) });
  const commit = { type: 'commit', from: 'a', to: 'b', term: 3 } as const;
  b.step({ ...commit, commit: 3, commitTerm: 3 });
  assert.equal(b.status().commit, 0, 'the entry there is of another term');
  b.step({ ...commit, commit: 4, commitTerm: 3 });
  assert.equal(b.status().commit, 0, 'the entry got lost on its way');
  b.step({ ...commit, commit: 2, commitTerm: 1 });
  assert.equal(b.status().commit, 2);
  assert.deepEqual(settle(b), [], 'nobody waits for an answer');
  assert.equal(b.status().leader, 'a');
});

test('5.3: a single voter commits what it persisted', () => {
  const a = newNode({ voters: ['a'] });
  a.campaign();
  settle(a);
  a.propose(Uint8Array.of(1));
  const ready = a.ready();
  assert.deepEqual(ready.committedEntries, []);
  a.advance(ready);
  assert.deepEqual(
    a.ready().committedEntries.map(({ index }) => index),
    [2],
  );
});
