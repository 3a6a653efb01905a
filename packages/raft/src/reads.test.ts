import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network, newNode, ofType, settle } from '../test/network.ts';

test('6.4: a read at the leader waits for a quorum that was asked after it', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  assert.deepEqual(a.readIndex('r'), { ok: true });
  const ready = a.ready();
  assert.deepEqual(ready.readStates, []);
  const [heartbeat] = ofType(ready.promptMessages, 'heartbeat');
  a.advance(ready);
  a.step({ type: 'heartbeatReply', from: 'b', to: 'a', term: 1, readRound: heartbeat!.readRound });
  assert.deepEqual(a.ready().readStates, [{ context: 'r', index: 1 }]);
});

test('6.4: answers to earlier heartbeats prove nothing', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.readIndex(1);
  net.run();
  const { readRound } = ofType(net.delivered, 'heartbeatReply').at(-1)!;
  net.cut.add('b').add('c');
  a.readIndex(2);
  const answer = { type: 'heartbeatReply', to: 'a', term: 1, readRound } as const;
  for (const from of ['b', 'c']) a.step({ ...answer, from });
  net.run();
  for (const from of ['b', 'c']) a.step({ ...answer, from });
  net.run();
  assert.deepEqual(net.reads.get('a'), [{ context: 1, index: 1 }]);
});

test('6.4: reads that come during a round share the next', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.readIndex(0);
  settle(a);
  for (let i = 1; i <= 100; i++) a.readIndex(i);
  assert.deepEqual(settle(a), [], 'one round is under way');
  a.tick();
  net.run();
  assert.equal(net.reads.get('a')!.length, 101);
  assert.ok(ofType(net.delivered, 'heartbeat').length <= 4);
});

test('6.4: a new leader answers reads only when it has committed in its term', () => {
  const net = new Network(['a', 'b', 'c']);
  net.isLost = (m) => m.type === 'append';
  net.elect('a');
  const a = net.node('a');
  assert.equal(a.status().role, 'leader');
  a.readIndex('early');
  net.tick(5);
  assert.deepEqual(net.reads.get('a'), []);
  net.isLost = () => false;
  net.tick(2);
  assert.deepEqual(net.reads.get('a'), [{ context: 'early', index: 1 }]);
});

test('6.4: a follower asks its leader', () => {
  const net = new Network(['a', 'b', 'c']);
  assert.deepEqual(net.node('b').readIndex('r'), { ok: false, code: 'NO_LEADER' });
  net.elect('a');
  net.node('b').readIndex('r');
  net.node('c').readIndex('r');
  net.run();
  assert.deepEqual(net.reads.get('b'), [{ context: 'r', index: 1 }]);
  assert.deepEqual(net.reads.get('c'), [{ context: 'r', index: 1 }]);
});

test('6.4: an answer to a request of an earlier life is not taken for a new one', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.node('b').readIndex(1);
  net.run();
  const [answer] = ofType(net.delivered, 'readIndexReply');
  const { rng } = { rng: { u32: () => 12345 } };
  const again = newNode({ id: 'b', rng });
  again.step({ type: 'heartbeat', from: 'a', to: 'b', term: 1, commit: 0, readRound: 0 });
  again.readIndex(1);
  again.step(answer!);
  const ready = again.ready();
  assert.deepEqual(ready.readStates, []);
});

test('6.4: a leader that was replaced drops its reads', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.cut.add('a');
  const a = net.node('a');
  a.readIndex('stale');
  net.tick(60);
  assert.equal(net.leaders().length, 1);
  net.cut.clear();
  net.tick(5);
  assert.deepEqual(net.reads.get('a'), []);
});

test('6.4: a single voter needs nobody', () => {
  const a = newNode({ voters: ['a'] });
  a.campaign();
  settle(a);
  a.readIndex(7);
  assert.deepEqual(a.ready().readStates, [{ context: 7, index: 1 }]);
});

test('limits: reads beyond the limit are refused', () => {
  const net = new Network(['a', 'b', 'c'], { pendingReadsMax: 2 });
  net.elect('a');
  const a = net.node('a');
  assert.deepEqual([a.readIndex(1).ok, a.readIndex(2).ok], [true, true]);
  assert.deepEqual(a.readIndex(3), { ok: false, code: 'READS_FULL' });
  net.run();
  assert.equal(a.readIndex(3).ok, true);
});
