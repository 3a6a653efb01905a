import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { diskWith, Network, newNode, ofType, settle } from '../test/network.ts';
import type { RawNode, Restored } from './index.ts';

/** Ticks until the node stands for election or pre-election. */
function ticksToCampaign(node: RawNode): number {
  for (let ticks = 1; ticks < 100; ticks++) {
    node.tick();
    if (node.status().role !== 'follower') return ticks;
  }
  return assert.fail('never campaigned');
}

const vote = { type: 'vote', from: 'b', to: 'a', lastIndex: 0, lastTerm: 0, force: false } as const;
const heartbeat = { type: 'heartbeat', from: 'b', to: 'a', commit: 0, readRound: 0 } as const;

test('5.1: a higher term makes a follower, a lower one is refused', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.step({ ...heartbeat, term: 5 });
  assert.deepEqual([a.status().role, a.status().term, a.status().leader], ['follower', 5, 'b']);
  settle(a);
  a.step({ ...vote, from: 'c', term: 4 });
  assert.deepEqual(settle(a), []);
});

test('5.2: nodes begin as followers and stand after T to 2T ticks, drawn anew', () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) seen.add(ticksToCampaign(newNode({ rng: new SeededRng(seed) })));
  assert.deepEqual([Math.min(...seen), Math.max(...seen)], [10, 19]);
  assert.equal(seen.size, 10);
});

test('5.2: heartbeats keep a follower quiet', () => {
  const a = newNode();
  for (let i = 0; i < 100; i++) {
    a.tick();
    a.step({ ...heartbeat, term: 1 });
  }
  assert.equal(a.status().role, 'follower');
});

test('5.2: one leader comes out, within a few timeouts, for clusters of every size', () => {
  for (const size of [1, 2, 3, 4, 5, 7]) {
    const ids = Array.from({ length: size }, (_, i) => `n${i}`);
    const net = new Network(ids);
    net.tick(100);
    assert.equal(net.leaders().length, 1, `${size} nodes`);
  }
});

test('5.2: first come, first served, and the same answer on repetition', () => {
  const a = newNode({ checkQuorum: false });
  const outcomes = [
    { from: 'b', granted: true },
    { from: 'c', granted: false },
    { from: 'b', granted: true },
  ];
  for (const { from, granted } of outcomes) {
    a.step({ ...vote, from, term: 1 });
    const reply = ofType(settle(a), 'voteReply');
    assert.deepEqual([reply[0]!.granted, reply[0]!.to], [granted, from]);
  }
});

test('5.2: a vote is kept over a restart', () => {
  const a = newNode({ restored: diskWith([], { term: 3, vote: 'c' }) });
  a.step({ ...vote, term: 3 });
  assert.equal(ofType(settle(a), 'voteReply')[0]!.granted, false);
});

test('5.2: a candidate needs its own vote on disk, and yields to a leader of its term', () => {
  const a = newNode({ preVote: false });
  a.campaign();
  const ready = a.ready();
  assert.deepEqual(ready.hardState, { term: 1, vote: 'a', commit: 0 });
  assert.equal(ready.mustSync, true);
  a.step({ type: 'voteReply', from: 'b', to: 'a', term: 1, granted: true, commit: 0, commitTerm: 0 });
  assert.equal(a.status().role, 'candidate');
  a.advance(ready);
  assert.equal(a.status().role, 'leader');

  const late = newNode({ preVote: false });
  late.campaign();
  late.step({ ...heartbeat, term: 1 });
  assert.deepEqual([late.status().role, late.status().vote], ['follower', 'a']);
});

test('5.2: an election that was begun after the Ready was taken is not counted by it', () => {
  const a = newNode({ voters: ['a'], restored: diskWith([], { term: 1, vote: 'a' }) });
  a.campaign();
  assert.deepEqual([a.status().role, a.status().term], ['candidate', 2]);
  const ready = a.ready();
  a.step({ ...heartbeat, term: 7 });
  a.campaign();
  a.advance(ready);
  assert.deepEqual([a.status().role, a.status().term], ['candidate', 8]);
});

test('5.4.1: votes only for logs at least as complete', () => {
  const cases: [own: number[], lastTerm: number, lastIndex: number, granted: boolean][] = [
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 1, 1, false],
    [[1], 2, 1, true],
    [[1, 1], 2, 1, true],
    [[2], 1, 2, false],
    [[2], 1, 1, false],
  ];
  for (const [own, lastTerm, lastIndex, granted] of cases) {
    for (const type of ['vote', 'preVote'] as const) {
      const a = newNode({ restored: diskWith(own) });
      a.step({ ...vote, type, term: 9, lastTerm, lastIndex });
      const reply = settle(a).find((m) => m.type === 'voteReply' || m.type === 'preVoteReply');
      assert.ok(reply?.type === 'voteReply' || reply?.type === 'preVoteReply');
      assert.equal(reply.granted, granted, `${type} ${own} against ${lastTerm}/${lastIndex}`);
    }
  }
});

test('pre-vote: a node that was cut off returns without raising the term', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.cut.add('c');
  net.tick(200);
  assert.deepEqual([net.node('c').status().role, net.node('c').status().term], ['preCandidate', 1]);
  net.cut.clear();
  net.tick(3);
  assert.deepEqual([net.leaders(), net.node('a').status().term], [['a'], 1]);
  assert.equal(net.node('c').status().leader, 'a');
});

test('pre-vote: leaves the own vote and term alone when it is given', () => {
  const a = newNode();
  a.step({ type: 'preVote', from: 'b', to: 'a', term: 4, lastIndex: 0, lastTerm: 0 });
  const [reply] = ofType(settle(a), 'preVoteReply');
  assert.deepEqual([reply!.granted, reply!.term], [true, 4]);
  assert.deepEqual([a.status().term, a.status().vote], [0, null]);
});

test('pre-vote: of two that ask at once the greater id goes on, and the votes are not split', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('c');
  net.cut.add('c');
  net.tick(9, ['a', 'b']);
  for (const id of ['a', 'b']) net.node(id).campaign();
  net.run();
  assert.deepEqual(
    net.leaders().filter((id) => id !== 'c'),
    ['b'],
  );
  assert.equal(net.node('a').status().vote, 'b');
});

test('pre-vote: nobody gives way to one whose log is behind, or that asks for another term', () => {
  const cases = [
    { terms: [1], term: 2 },
    { terms: [], term: 3 },
  ];
  for (const { terms, term } of cases) {
    const a = newNode({ restored: diskWith(terms, { term: 1 }) });
    a.campaign();
    a.step({ type: 'preVote', from: 'b', to: 'a', term, lastIndex: 0, lastTerm: 0 });
    assert.equal(a.status().role, 'preCandidate');
  }
});

test('pre-vote: an answer of an earlier term does not count', () => {
  const a = newNode({ restored: diskWith([], { term: 3 }) });
  a.campaign();
  a.step({ type: 'preVoteReply', from: 'b', to: 'a', term: 3, granted: true, commit: 0, commitTerm: 0 });
  assert.equal(a.status().role, 'preCandidate');
  a.step({ type: 'preVoteReply', from: 'c', to: 'a', term: 4, granted: true, commit: 0, commitTerm: 0 });
  assert.deepEqual([a.status().role, a.status().term], ['candidate', 4]);
});

test('check-quorum: followers of a live leader ignore candidates, whatever their term', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const b = net.node('b');
  for (const type of ['vote', 'preVote'] as const) {
    b.step({ ...vote, type, from: 'c', to: 'b', term: 9, lastIndex: 99, lastTerm: 8 });
    assert.deepEqual([settle(b), b.status().term], [[], 1]);
  }
  b.step({ ...vote, from: 'c', to: 'b', term: 9, lastIndex: 99, lastTerm: 8, force: true });
  assert.equal(ofType(settle(b), 'voteReply')[0]!.granted, true);
});

test('check-quorum: a leader without a quorum steps down after an election timeout', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.tick(30);
  assert.deepEqual(net.leaders(), ['a']);
  net.cut.add('b');
  net.tick(30, ['a', 'c']);
  assert.deepEqual(net.leaders(), ['a'], 'one of two others is enough');
  net.cut.add('c');
  net.tick(20, ['a']);
  assert.notEqual(net.node('a').status().role, 'leader');
});

test('check-quorum: a stale leader learns of the higher term that a node kept', () => {
  const ahead: Restored = diskWith([], { term: 8 });
  const net = new Network(['a', 'b', 'c'], {}, { c: ahead });
  net.cut.add('c');
  net.elect('a');
  net.cut.clear();
  net.tick(60);
  assert.equal(net.leaders().length, 1);
  assert.ok(net.node('a').status().term >= 8);
  assert.equal(new Set([...net.nodes.values()].map((node) => node.status().commit)).size, 1);
});

test('transfer (thesis 3.10): to an equal node at once, to one behind when it caught up', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  assert.deepEqual(net.node('a').transferLeadership('b'), { ok: true });
  net.run();
  assert.deepEqual(net.leaders(), ['b']);

  net.cut.add('c');
  for (let i = 0; i < 5; i++) net.node('b').propose(Uint8Array.of(1));
  net.run();
  net.cut.clear();
  net.node('b').transferLeadership('c');
  net.tick(2);
  assert.deepEqual(net.leaders(), ['c']);
});

test('transfer: proposals are refused meanwhile, and it is given up after an election timeout', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.cut.add('b');
  const a = net.node('a');
  a.transferLeadership('b');
  assert.deepEqual(a.propose(Uint8Array.of(1)), { ok: false, code: 'NOT_LEADER', leader: 'b' });
  net.tick(9, ['a', 'c']);
  assert.equal(a.status().transferee, 'b');
  net.tick(1, ['a', 'c']);
  assert.deepEqual([a.status().role, a.propose(Uint8Array.of(1)).ok], ['leader', true]);
});

test('transfer: refused where it makes no sense', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  assert.deepEqual(net.node('b').transferLeadership('c'), { ok: false, code: 'NOT_LEADER', leader: 'a' });
  assert.deepEqual(net.node('a').transferLeadership('x'), { ok: false, code: 'UNKNOWN_PEER' });
});

test('6: one that can not stand lets go of a silent leader, and helps others against it', () => {
  const learner = newNode({ id: 'x', voters: [], rng: { u32: () => 0 } });
  learner.step({ ...heartbeat, to: 'x', term: 1 });
  for (let i = 0; i < 25; i++) learner.tick();
  assert.equal(learner.status().leader, null);
  settle(learner);
  learner.step({ ...vote, from: 'c', to: 'x', term: 2, lastIndex: 0, lastTerm: 0 });
  assert.equal(ofType(settle(learner), 'voteReply')[0]!.granted, true);
});

test('5.2: a candidate without a majority tries again, in a new term, after a timeout drawn anew', () => {
  const net = new Network(['a', 'b', 'c'], { preVote: false });
  net.cut.add('b').add('c');
  const terms: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { term } = net.node('a').status();
    for (let ticks = 0; net.node('a').status().term === term; ticks++) {
      assert.ok(ticks < 20, 'at most twice the timeout');
      net.tick(1, ['a']);
    }
    terms.push(net.node('a').status().term);
  }
  assert.deepEqual(terms, [1, 2, 3, 4, 5]);
});

test('5.2: a candidate that a majority refuses goes back to following', () => {
  const a = newNode({ preVote: false, voters: ['a', 'b', 'c'] });
  a.campaign();
  settle(a);
  for (const from of ['b', 'c']) {
    assert.equal(a.status().role, 'candidate');
    a.step({ type: 'voteReply', from, to: 'a', term: 1, granted: false, commit: 0, commitTerm: 0 });
  }
  assert.deepEqual([a.status().role, a.status().term], ['follower', 1]);
});

test('5.2: votes count once, of voters only, and of this term only', () => {
  const a = newNode({ preVote: false, voters: ['a', 'b', 'c', 'd', 'e'] });
  a.campaign();
  settle(a);
  const yes = { type: 'voteReply', to: 'a', granted: true, commit: 0, commitTerm: 0 } as const;
  for (const from of ['b', 'b', 'x', 'y']) a.step({ ...yes, from, term: 1 });
  a.step({ ...yes, from: 'c', term: 0 });
  assert.equal(a.status().role, 'candidate');
  a.step({ ...yes, from: 'c', term: 1 });
  assert.equal(a.status().role, 'leader');
});

test('5.2: a leader sends heartbeats to all at once, and at each interval', () => {
  const net = new Network(['a', 'b', 'c'], { heartbeatTicks: 2 });
  net.elect('a');
  const a = net.node('a');
  settle(a);
  const sent = Array.from({ length: 4 }, () => {
    a.tick();
    return ofType(settle(a), 'heartbeat').map(({ to }) => to);
  });
  assert.deepEqual(sent, [[], ['b', 'c'], [], ['b', 'c']]);
});

test('5.5: a request that is repeated does no harm', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.node('a').propose(Uint8Array.of(1));
  net.run();
  const before = [...net.nodes.values()].map((node) => JSON.stringify({ ...node.status(), progress: null }));
  for (const m of [...net.delivered]) net.node(m.to).step(m);
  net.run();
  assert.deepEqual(
    [...net.nodes.values()].map((node) => JSON.stringify({ ...node.status(), progress: null })),
    before,
  );
});

test('5.6: heartbeats must come well before an election timeout', () => {
  assert.throws(() => newNode({ heartbeatTicks: 10, electionTimeoutTicks: 10 }), { name: 'InvariantError' });
  assert.throws(() => newNode({ heartbeatTicks: 0 }), { name: 'InvariantError' });
});

test('8: a leader asks nobody else to remember requests: a proposal is answered by its place in the log', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const result = net.node('a').propose(Uint8Array.of(7));
  net.run();
  assert.ok(result.ok);
  const { index, term } = result;
  assert.deepEqual(net.applied.get('a')!.find((entry) => entry.index === index)?.term, term);
});

test('a voter that had rather not lead leaves elections to the others, but wins where nobody else stands', () => {
  for (let seed = 0; seed < 200; seed++) {
    const net = new Network(['a', 'b', 'c'], { rng: new SeededRng(seed) });
    net.node('b').setReluctant(true);
    net.elect('a');
    net.cut.add('a');
    net.tick(100, ['b', 'c']);
    assert.deepEqual(
      net.leaders().filter((id) => id !== 'a'),
      ['c'],
    );
  }
  const net = new Network(['a', 'b', 'c']);
  net.node('b').setReluctant(true);
  net.elect('a');
  net.cut.add('a');
  // The other can't make itself heard, but it can answer.
  net.isLost = ({ from, type }) => from === 'c' && (type === 'preVote' || type === 'vote');
  net.tick(100, ['b', 'c']);
  assert.deepEqual(
    net.leaders().filter((id) => id !== 'a'),
    ['b'],
  );
});
