import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskWith, entry, Network, newNode, ofType, settle, wholeSnapshot } from '../test/network.ts';
import { encodeConfEntry } from './conf.ts';
import { type RaftEntry, type RaftMessage, type Ready, type Snapshot, simpleConf } from './index.ts';

const voters = ['a', 'b', 'c'];
const conf = simpleConf(voters);
const snapshot: Snapshot = { index: 5, term: 2, conf, data: Uint8Array.of(9) };

function install(term: number, of = snapshot): RaftMessage {
  return wholeSnapshot('b', 'a', term, of);
}

/** Leader `a` that dropped its first entries while `c` was cut off, and has heard of `c` again if `isBack`. */
function behind(isBack: boolean): Network {
  const net = new Network(voters);
  net.elect('a');
  net.cut.add('c');
  for (let i = 0; i < 20; i++) net.node('a').propose(Uint8Array.of(i));
  net.run();
  net.node('a').compact(15, Uint8Array.of(15), 0);
  if (isBack) net.cut.clear();
  return net;
}

test('7: a follower too far behind gets the snapshot, then the rest', () => {
  const net = behind(true);
  net.tick(2);
  assert.equal(net.node('c').status().commit, 21);
  assert.deepEqual(
    net.applied.get('c')!.map(({ index }) => index),
    [1, 16, 17, 18, 19, 20, 21],
  );
  assert.equal(net.node('a').status().progress.get('c')!.state, 'replicate');
});

test('7: trailing entries spare a follower the snapshot', () => {
  const net = new Network(voters);
  net.elect('a');
  net.cut.add('c');
  for (let i = 0; i < 20; i++) net.node('a').propose(Uint8Array.of(i));
  net.run();
  net.node('a').compact(21, Uint8Array.of(15), 20);
  net.cut.clear();
  net.tick(2);
  assert.deepEqual(ofType(net.delivered, 'snapshot'), []);
  assert.equal(net.node('c').status().commit, 21);
});

test('7: no snapshot goes to a node that does not answer', () => {
  const net = behind(false);
  const a = net.node('a');
  for (let i = 0; i < 30; i++) {
    a.tick();
    a.step({ type: 'heartbeatReply', from: 'b', to: 'a', term: 1, readRound: 0 });
    assert.deepEqual(ofType(settle(a), 'snapshot'), []);
  }
});

test('7: nothing is appended while a snapshot is under way; a failed one is tried again', () => {
  const net = behind(true);
  net.isLost = (m) => m.type === 'snapshot';
  net.tick(2);
  const a = net.node('a');
  assert.deepEqual(a.status().progress.get('c'), {
    match: 1,
    next: 16,
    state: 'snapshot',
    recentActive: true,
    role: 'voter',
    snapshot: { index: 15, ackedBytes: 0, bytes: 1 },
  });
  a.propose(Uint8Array.of(1));
  assert.deepEqual(
    ofType(settle(a), 'append').map(({ to }) => to),
    ['b'],
  );
  net.isLost = () => false;
  a.reportSnapshot('c', false);
  net.tick(3);
  assert.equal(net.node('c').status().lastIndex, 22);
});

test('7: a snapshot that was lost without a word is sent again in time', () => {
  const net = behind(true);
  let lost = 0;
  net.isLost = (m) => m.type === 'snapshot' && ++lost === 1;
  net.tick(5);
  assert.equal(lost, 1);
  net.tick(10);
  assert.equal(net.node('c').status().commit, 21);
});

test('7: a snapshot replaces a log that it contradicts, and is persisted before the answer', () => {
  const a = newNode({ restored: diskWith([1, 1, 1]) });
  a.step(install(3));
  a.step({ type: 'append', from: 'b', to: 'a', term: 3, prevIndex: 5, prevTerm: 2, entries: [entry(3, 6)], commit: 6 });
  const ready = a.ready();
  assert.deepEqual(
    [ready.snapshot, ready.entries.map(({ index }) => index), ready.committedEntries, ready.mustSync],
    [snapshot, [6], [], true],
  );
  assert.deepEqual(ready.hardState, { term: 3, vote: null, commit: 6 });
  assert.equal(ofType(ready.messages, 'snapshotReply')[0]!.index, 5);
  a.advance(ready);
  assert.deepEqual(
    a.ready().committedEntries.map(({ index }) => index),
    [6],
  );
});

test('7: a snapshot that the log agrees with only commits', () => {
  const a = newNode({ restored: diskWith([1, 1, 2, 2, 2, 2]) });
  a.step(install(3));
  const readies: Ready[] = [];
  const sent = settle(a, (ready) => readies.push(ready));
  assert.equal(
    readies.every((ready) => ready.snapshot === null),
    true,
  );
  assert.deepEqual([a.status().commit, a.status().applied, a.status().lastIndex], [5, 5, 6]);
  assert.equal(ofType(sent, 'snapshotReply')[0]!.index, 5);
});

test('7: an old snapshot is answered with what is committed', () => {
  const a = newNode({ restored: diskWith([1, 1, 2, 2, 2, 2], { commit: 6 }) });
  a.step(install(3));
  assert.equal(ofType(settle(a), 'snapshotReply')[0]!.index, 6);
});

test('7: what was being written when a snapshot came is not taken for part of the new log', () => {
  const a = newNode();
  const entries = Array.from({ length: 7 }, (_, i) => entry(2, i + 1));
  a.step({ type: 'append', from: 'b', to: 'a', term: 2, prevIndex: 0, prevTerm: 0, entries, commit: 0 });
  const ready = a.ready();
  a.step({ type: 'append', from: 'c', to: 'a', term: 3, prevIndex: 0, prevTerm: 0, entries: [entry(3, 1)], commit: 0 });
  a.step({ ...install(4), from: 'b' });
  const again = [entry(2, 6), entry(2, 7)];
  a.step({ type: 'append', from: 'b', to: 'a', term: 4, prevIndex: 5, prevTerm: 2, entries: again, commit: 5 });
  a.advance(ready);
  const next = a.ready();
  assert.deepEqual(next.snapshot, snapshot);
  assert.deepEqual(next.entries, again, 'the snapshot wipes the disk, so they are due again');
});

test('7: no election while a snapshot is not on disk', () => {
  const a = newNode();
  a.step(install(3));
  a.campaign();
  assert.equal(a.status().role, 'follower');
});

test('compact: drops what is covered, but for the trailing entries, and keeps what followers need', () => {
  const a = newNode({ voters: ['a'] });
  a.campaign();
  settle(a);
  for (let i = 0; i < 9; i++) a.propose(Uint8Array.of(i));
  settle(a);
  assert.deepEqual(a.compact(8, Uint8Array.of(1), 3), {
    index: 8,
    term: 1,
    conf: simpleConf(['a']),
    data: Uint8Array.of(1),
  });
  assert.deepEqual(
    [4, 5, 6, 10].map((index) => a.termAt(index)),
    [null, 1, 1, 1],
  );
  assert.equal(a.compact(7, Uint8Array.of(1)), null, 'older than the last');
  assert.throws(() => a.compact(11, Uint8Array.of(1)), { name: 'InvariantError' });
  a.propose(Uint8Array.of(1));
  settle(a);
  assert.equal(a.status().commit, 11);
});

test('restart: a disk with a snapshot and trailing entries goes on where it was', () => {
  const entries = [3, 4, 5, 6, 7].map((index) => entry(2, index));
  const restored = { hardState: { term: 2, vote: null, commit: 6 }, snapshot, entries };
  const a = newNode({ restored, voters: ['ignored'] });
  assert.deepEqual([a.status().applied, a.status().lastIndex, a.status().conf], [5, 7, conf]);
  assert.deepEqual(
    a.ready().committedEntries.map(({ index }) => index),
    [6],
  );
  assert.deepEqual(
    [2, 3, 5, 7, 8].map((index) => a.termAt(index)),
    [null, 2, 2, 2, null],
  );
});

test('7: a snapshot over the limit is not taken, and shown', () => {
  const a = newNode({ snapshotBytesMax: 3 });
  a.step(install(3, { ...snapshot, data: new Uint8Array(4) }));
  assert.deepEqual(ofType(settle(a), 'snapshotReply'), []);
  assert.deepEqual([a.status().lastIndex, a.status().refusedSnapshotBytes], [0, 4]);
  a.step(install(3, { ...snapshot, data: new Uint8Array(3) }));
  settle(a);
  assert.equal(a.status().lastIndex, 5);
});

test('7: a follower whose snapshot was too old by the time it had it is sent another one', () => {
  const net = behind(true);
  net.isLost = (m) => m.type === 'snapshotReply';
  net.tick(2);
  assert.equal(net.node('c').status().lastIndex, 15);
  net.node('a').compact(21, Uint8Array.of(21), 0);
  net.isLost = () => false;
  net.tick(40);
  assert.equal(net.node('c').status().commit, 21);
});

test('7: a configuration that was being applied when a snapshot came does not take the place of its', () => {
  const a = newNode();
  const conf = encodeConfEntry(simpleConf(['a', 'b', 'c'], ['d']));
  const entries: RaftEntry[] = [
    { term: 1, index: 1, kind: 'data', data: new Uint8Array(0) },
    { term: 1, index: 2, kind: 'conf', data: conf },
  ];
  a.step({ type: 'append', from: 'b', to: 'a', term: 1, prevIndex: 0, prevTerm: 0, commit: 2, entries });
  const ready = a.ready();
  const later = simpleConf(['b', 'd', 'e'], ['a']);
  a.step(wholeSnapshot('b', 'a', 1, { index: 50, term: 1, conf: later, data: Uint8Array.of(1) }));
  a.advance(ready);
  assert.deepEqual(a.conf, later);
  settle(a);
  assert.deepEqual([a.status().applied, a.conf], [50, later]);
});
