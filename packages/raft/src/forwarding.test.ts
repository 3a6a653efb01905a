import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network, ofType, settle } from '../test/network.ts';
import type { ForwardResult } from './index.ts';

/** What `id` hears of its forwarded proposals until nothing moves any more. */
function run(net: Network, id: string): ForwardResult[] {
  const heard: ForwardResult[] = [];
  net.onReady = (at, ready) => {
    if (at === id) heard.push(...ready.forwardResults);
  };
  net.run();
  return heard;
}

test('8: a follower sends what it is asked for to its leader, and hears where it is', () => {
  const net = new Network(['a', 'b', 'c']);
  assert.deepEqual(net.node('b').forwardProposal(1, Uint8Array.of(9)), { ok: false, code: 'NO_LEADER' });
  net.elect('a');
  assert.deepEqual(net.node('b').forwardProposal('mine', Uint8Array.of(9)), { ok: true });
  assert.deepEqual(run(net, 'b'), [{ context: 'mine', result: { ok: true, index: 2, term: 1 } }]);
  assert.deepEqual([...net.applied.get('c')!.at(-1)!.data], [9]);
});

test('forwarding: a leader takes its own at once', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.node('a').forwardProposal(7, Uint8Array.of(1));
  assert.deepEqual(run(net, 'a'), [{ context: 7, result: { ok: true, index: 2, term: 1 } }]);
});

test('forwarding: a message that the network repeats is taken once', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const [a, b] = [net.node('a'), net.node('b')];
  b.forwardProposal(1, Uint8Array.of(1));
  const [message] = ofType(settle(b), 'propose');
  for (let i = 0; i < 3; i++) a.step(message!);
  net.run();
  assert.equal(a.status().lastIndex, 2);
  b.forwardProposal(2, Uint8Array.of(1));
  net.run();
  assert.equal(a.status().lastIndex, 3, 'the same bytes asked for anew are another proposal');
});

test('forwarding: refused when too much is uncommitted', () => {
  const net = new Network(['a', 'b', 'c'], { uncommittedBytesMax: 10 });
  net.elect('a');
  net.isLost = (m) => m.type === 'append';
  net.node('a').propose(new Uint8Array(10));
  net.node('b').forwardProposal('no', Uint8Array.of(1));
  assert.deepEqual(run(net, 'b'), [{ context: 'no', result: { ok: false, code: 'UNCOMMITTED_FULL' } }]);
});

test('forwarding: an answer of an earlier leadership is nobody’s', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.isLost = (m) => m.type === 'proposeReply';
  net.node('b').forwardProposal('lost', Uint8Array.of(1));
  net.run();
  net.isLost = () => false;
  net.node('a').transferLeadership('c');
  assert.deepEqual(run(net, 'b'), []);
  assert.deepEqual(net.leaders(), ['c']);
});
