import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskWith, entry, Network, newNode, ofType, settle } from '../test/network.ts';
import type { RaftEntry, RaftMessage, RaftOptions, RawNode } from './index.ts';

/** Node `a` as leader of term 1, with its no-op at index 1 sent but not answered. */
function newLeader(options: Partial<RaftOptions> = {}): RawNode {
  const a = newNode({ preVote: false, checkQuorum: false, ...options });
  a.campaign();
  settle(a);
  a.step({ type: 'voteReply', from: 'b', to: 'a', term: a.status().term, granted: true, commit: 0, commitTerm: 0 });
  settle(a);
  return a;
}

function ack(from: string, index: number, term = 1): RaftMessage {
  return { type: 'appendReply', from, to: 'a', term, reject: false, index, hintIndex: 0, hintTerm: 0 };
}

function append(term: number, prev: [term: number, index: number], entries: RaftEntry[], commit = 0): RaftMessage {
  const [prevTerm, prevIndex] = prev;
  return { type: 'append', from: 'b', to: 'a', term, prevIndex, prevTerm, entries, commit };
}

test('5.3: an entry is committed when a majority has it, and all apply it', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  assert.deepEqual(net.node('a').propose(Uint8Array.of(42)), { ok: true, index: 2, term: 1 });
  net.run();
  for (const [id, applied] of net.applied) {
    assert.deepEqual(
      applied.map(({ term, index, data }) => [term, index, ...data]),
      [
        [1, 1],
        [1, 2, 42],
      ],
      id,
    );
  }
});

test('5.3: followers learn of a commit at once, without a tick', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  for (let i = 0; i < 20; i++) {
    net.node('a').propose(Uint8Array.of(1));
    net.run();
    for (const node of net.nodes.values()) assert.equal(node.status().commit, i + 2);
  }
});

test('5.3: a follower that takes no appends now still learns of the commit of what it has', () => {
  const a = newLeader({ inflightMessagesMax: 1 });
  a.step(ack('b', 1));
  a.step(ack('c', 1));
  settle(a);
  a.propose(Uint8Array.of(1));
  settle(a);
  a.propose(Uint8Array.of(2));
  assert.deepEqual(ofType(settle(a), 'append'), [], 'both are full');
  a.step(ack('b', 2));
  const sent = settle(a);
  assert.deepEqual(
    ofType(sent, 'append').map(({ to, commit }) => [to, commit]),
    [['b', 2]],
  );
  a.step(ack('c', 1));
  assert.deepEqual(settle(a), [], 'no news for c before it has the entry');
});

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

test('5.3: consistency check of an append', () => {
  const cases: [prev: [number, number], reject: boolean, hint: [number, number]][] = [
    [[0, 0], false, [0, 0]],
    [[1, 1], false, [0, 0]],
    [[2, 2], false, [0, 0]],
    [[1, 2], true, [1, 1]],
    [[3, 3], true, [2, 2]],
    [[1, 9], true, [1, 1]],
  ];
  for (const [prev, reject, hint] of cases) {
    const a = newNode({ restored: diskWith([1, 2]) });
    a.step(append(3, prev, []));
    const [reply] = ofType(settle(a), 'appendReply');
    assert.deepEqual([reply!.reject, reply!.index], [reject, prev[1]], `prev ${prev}`);
    if (reject) assert.deepEqual([reply!.hintTerm, reply!.hintIndex], hint, `prev ${prev}`);
  }
});

test('5.3: conflicting entries go, with all after them; old messages take nothing back', () => {
  const cases: [prev: [number, number], entries: [number, number][], terms: number[]][] = [
    [[2, 2], [[3, 3]], [1, 2, 3]],
    [
      [1, 1],
      [
        [3, 2],
        [4, 3],
      ],
      [1, 3, 4],
    ],
    [[0, 0], [[1, 1]], [1, 2, 2]],
    [[0, 0], [[3, 1]], [3]],
    [[1, 1], [], [1, 2, 2]],
    [
      [1, 1],
      [
        [2, 2],
        [2, 3],
        [2, 4],
      ],
      [1, 2, 2, 2],
    ],
  ];
  for (const [prev, entries, terms] of cases) {
    const a = newNode({ restored: diskWith([1, 2, 2]) });
    a.step(
      append(
        4,
        prev,
        entries.map(([term, index]) => entry(term, index)),
      ),
    );
    const { lastIndex } = a.status();
    assert.deepEqual(
      Array.from({ length: lastIndex }, (_, i) => a.termAt(i + 1)),
      terms,
    );
    const firstNew = terms.findIndex((term, i) => term !== [1, 2, 2][i]);
    const persisted = a.ready().entries.map(({ index }) => index);
    assert.deepEqual(persisted, firstNew < 0 ? [] : terms.slice(firstNew).map((_, i) => firstNew + 1 + i));
  }
});

test('5.3: a follower commits only as far as the message proves its log', () => {
  const a = newNode({ restored: diskWith([1, 1, 1]) });
  a.step(append(2, [1, 1], [], 3));
  assert.equal(a.status().commit, 1);
  a.step(append(2, [1, 1], [entry(2, 2)], 3));
  assert.equal(a.status().commit, 2);
});

test('5.3: what was cut off while it was being written is written again', () => {
  const a = newNode();
  a.step(append(1, [0, 0], [entry(1, 1), entry(1, 2), entry(1, 3)]));
  const ready = a.ready();
  a.step(append(2, [1, 1], [entry(2, 2), entry(2, 3)]));
  a.advance(ready);
  assert.deepEqual(
    a.ready().entries.map(({ term, index }) => [term, index]),
    [
      [2, 2],
      [2, 3],
    ],
  );
});

test('5.3: leaders bring followers to their own log (figure 7), in few steps', () => {
  const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];
  for (const terms of followers) {
    const term = 8;
    const disks = { a: diskWith(leaderTerms, { term }), b: diskWith(terms, { term }), c: diskWith([], { term }) };
    const net = new Network(['a', 'b', 'c'], {}, disks);
    net.cut.add('b');
    net.elect('a');
    net.cut.clear();
    net.tick(2);
    const [a, b] = [net.node('a'), net.node('b')];
    assert.equal(b.status().lastIndex, 11);
    for (let index = 1; index <= 11; index++) assert.equal(b.termAt(index), a.termAt(index));
    assert.equal(b.status().commit, 11);
    const refusals = ofType(net.delivered, 'appendReply').filter(({ from, reject }) => from === 'b' && reject);
    assert.ok(refusals.length <= 3, `${refusals.length} refusals for ${terms}`);
  }
});

test('5.4.2: entries of earlier terms are not committed by counting (figure 8)', () => {
  const a = newLeader({ restored: diskWith([1, 2], { term: 2 }) });
  const { term } = a.status();
  assert.equal(term, 3);
  a.step(ack('b', 2, term));
  a.step(ack('c', 2, term));
  assert.equal(a.status().commit, 0);
  a.step(ack('b', 3, term));
  assert.equal(a.status().commit, 3);
});

test('5.4.2: a leader begins its term with a no-op', () => {
  const a = newNode({ voters: ['a'] });
  a.campaign();
  const applied: RaftEntry[] = [];
  settle(a, (ready) => applied.push(...ready.committedEntries));
  assert.deepEqual(
    applied.map(({ term, index, data }) => [term, index, data.length]),
    [[1, 1, 0]],
  );
});

test('flow: messages are limited in bytes and number, and go on as answers come', () => {
  const a = newLeader({ appendBytesMax: 20, inflightMessagesMax: 2, voters: ['a', 'b', 'c'] });
  a.step(ack('b', 1));
  settle(a);
  for (let i = 0; i < 10; i++) a.propose(new Uint8Array(10));
  const sizes = () =>
    ofType(settle(a), 'append')
      .filter(({ to }) => to === 'b')
      .map(({ entries }) => entries.length);
  assert.deepEqual(sizes(), [2, 2]);
  assert.deepEqual(sizes(), []);
  a.step(ack('b', 3));
  assert.deepEqual(sizes(), [2]);
  a.step(ack('b', 7));
  assert.deepEqual(sizes(), [2, 2]);
  assert.equal(a.propose(new Uint8Array(100)).ok, true);
  a.step(ack('b', 11));
  assert.deepEqual(sizes(), [1], 'an entry over the limit goes alone');
});

test('flow: proposals that come between two Readys share a message', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.delivered.length = 0;
  for (let i = 0; i < 50; i++) net.node('a').propose(Uint8Array.of(i));
  net.run();
  const carrying = ofType(net.delivered, 'append').filter(({ entries }) => entries.length > 0);
  assert.deepEqual(
    carrying.map(({ entries }) => entries.length),
    [50, 50],
  );
});

test('flow: a lost append is noticed by the next one, or by a heartbeat', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.cut.add('b');
  net.node('a').propose(Uint8Array.of(1));
  net.run();
  net.cut.clear();
  net.tick(1);
  assert.equal(net.node('b').status().commit, 2);
  assert.equal(net.node('a').status().progress.get('b')!.state, 'replicate');
});

test('flow: an unreachable peer is probed, not flooded', () => {
  const a = newLeader();
  a.step(ack('b', 1));
  settle(a);
  a.reportUnreachable('b');
  a.propose(Uint8Array.of(1));
  a.propose(Uint8Array.of(2));
  settle(a);
  a.propose(Uint8Array.of(3));
  assert.deepEqual(ofType(settle(a), 'append'), []);
  assert.deepEqual(a.status().progress.get('b'), {
    match: 1,
    next: 2,
    state: 'probe',
    recentActive: true,
    role: 'voter',
    snapshot: null,
  });
});

test('limits: proposals beyond the uncommitted bytes are refused until something is committed', () => {
  const a = newLeader({ uncommittedBytesMax: 100 });
  a.step(ack('b', 1));
  settle(a);
  assert.equal(a.propose(new Uint8Array(500)).ok, true, 'a large one goes alone');
  assert.deepEqual(a.propose(new Uint8Array(1)), { ok: false, code: 'UNCOMMITTED_FULL' });
  settle(a);
  a.step(ack('b', 2));
  assert.equal(a.propose(new Uint8Array(60)).ok, true);
  assert.equal(a.propose(new Uint8Array(40)).ok, true);
  assert.deepEqual(a.propose(new Uint8Array(1)), { ok: false, code: 'UNCOMMITTED_FULL' });
});

test('proposals at a follower name the leader', () => {
  const net = new Network(['a', 'b', 'c']);
  assert.deepEqual(net.node('b').propose(Uint8Array.of(1)), { ok: false, code: 'NOT_LEADER', leader: null });
  net.elect('a');
  assert.deepEqual(net.node('b').propose(Uint8Array.of(1)), { ok: false, code: 'NOT_LEADER', leader: 'a' });
});

test('Ready: a commit index alone needs no sync, and applying is done in portions', () => {
  const a = newNode({ applyBytesMax: 2, restored: diskWith([1, 1, 1, 1, 1]) });
  a.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit: 5, readRound: 0 });
  const portions: number[][] = [];
  settle(a, (ready) => {
    assert.equal(ready.mustSync, false);
    portions.push(ready.committedEntries.map(({ index }) => index));
  });
  assert.deepEqual(portions, [[1, 2], [3, 4], [5]]);
});

test('Ready: a broken log ends the node', () => {
  const a = newNode({ restored: diskWith([1, 1], { commit: 2 }) });
  assert.throws(() => a.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit: 3, readRound: 0 }), {
    name: 'InvariantError',
  });
  assert.throws(() => newNode({ restored: diskWith([1, 1], { commit: 3 }) }), { name: 'InvariantError' });
  const gap = { ...diskWith([1, 1]), entries: [entry(1, 2)] };
  assert.throws(() => newNode({ restored: gap }), { name: 'InvariantError' });
});

test('flow: unanswered payload is limited in bytes, however few messages it takes', () => {
  const a = newLeader({ appendBytesMax: 100, inflightMessagesMax: 50, inflightBytesMax: 150 });
  a.step(ack('b', 1));
  settle(a);
  for (let i = 0; i < 10; i++) a.propose(new Uint8Array(50));
  const sizes = () =>
    ofType(settle(a), 'append')
      .filter(({ to }) => to === 'b')
      .map(({ entries }) => entries.length);
  assert.deepEqual(sizes(), [2, 1]);
  a.step(ack('b', 3));
  assert.deepEqual(sizes(), [2]);
});

test('5.3: a leader never changes or removes what it has', () => {
  const a = newLeader({ restored: diskWith([1, 2], { term: 2 }) });
  const { term } = a.status();
  const own = [1, 2, 3].map((index) => a.termAt(index));
  a.step({ type: 'appendReply', from: 'b', to: 'a', term, reject: true, index: 3, hintIndex: 0, hintTerm: 0 });
  settle(a);
  assert.deepEqual(
    [1, 2, 3].map((index) => a.termAt(index)),
    own,
  );
  const stale = { ...append(term - 1, [0, 0], [entry(1, 1)]), from: 'c' };
  a.step(stale);
  assert.equal(a.status().lastIndex, 3);
});

test('5.3: two leaders in one term end the node that hears of both', () => {
  const a = newLeader();
  assert.throws(() => a.step(append(1, [0, 0], [])), { name: 'InvariantError' });
});

test('5.4.3: a leader has all that was committed before its term', () => {
  const net = new Network(['a', 'b', 'c', 'd', 'e']);
  net.elect('a');
  net.cut.add('d').add('e');
  for (let i = 0; i < 3; i++) net.node('a').propose(Uint8Array.of(i));
  net.run();
  const { commit } = net.node('a').status();
  net.cut.clear();
  net.cut.add('a');
  net.tick(200, ['b', 'c', 'd', 'e']);
  const [leader] = net.leaders().filter((id) => id !== 'a');
  assert.ok(leader === 'b' || leader === 'c', 'd and e lack what is committed');
  for (let index = 1; index <= commit; index++) assert.equal(net.node(leader).termAt(index), 1);
});
