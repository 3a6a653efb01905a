import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type NodeId, nodeId } from '@holdfast/model';
import type { News } from './packet.ts';
import { newsBytes } from './packet-codec.ts';
import { RumourQueue } from './rumours.ts';

function newsOf(id: string, incarnation = 1): News {
  const meta = {
    uuid: '00000000-0000-0000-0000-000000000001',
    startCounter: 1,
    version: '1',
    peerAddress: '10.0.0.1:7400',
    shardAddresses: [],
    httpAddress: null,
    zone: null,
  };
  const claim = { id: nodeId(id), incarnation, state: 'alive', gossipAddress: '10.0.0.1:7401', meta } as const;
  return { claim, ageMs: 0, accusers: [] };
}

const bytes = newsBytes(newsOf('a'));
const nobody: ReadonlySet<NodeId> = new Set();
const taken = (queue: RumourQueue, count: number, except = nobody) =>
  queue.take(count * bytes, 3, except).map(({ claim }) => `${claim.id}${claim.incarnation}`);

it('tells what was told least first, each so many times', () => {
  const queue = new RumourQueue(10);
  for (const id of ['a', 'b', 'c']) queue.put(newsOf(id));
  assert.deepEqual(taken(queue, 2), ['a1', 'b1']);
  assert.deepEqual(taken(queue, 2), ['c1', 'a1']);
  assert.deepEqual(taken(queue, 3), ['b1', 'c1', 'a1']);
  assert.deepEqual(taken(queue, 3), ['b1', 'c1']);
  assert.equal(queue.count, 0);
});

it('has the latest news of a member only, and keeps it from the one it is not for', () => {
  const queue = new RumourQueue(10);
  queue.put(newsOf('a', 1));
  queue.put(newsOf('a', 2));
  assert.deepEqual(taken(queue, 5), ['a2']);
  assert.deepEqual(taken(queue, 5, new Set([nodeId('a')])), []);
  assert.deepEqual(queue.take(bytes - 1, 3, nobody), [], 'too large');
  assert.ok(queue.has(nodeId('a')));
});

it('gives up what was told most when it is full (I21)', () => {
  const queue = new RumourQueue(2);
  queue.put(newsOf('a'));
  assert.deepEqual(taken(queue, 1), ['a1']);
  assert.ok(queue.put(newsOf('b')));
  assert.equal(queue.put(newsOf('c')), false);
  assert.deepEqual(taken(queue, 5), ['b1', 'c1']);
  assert.equal(queue.count, 2);
});
