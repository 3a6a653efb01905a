import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type NodeId, nodeId } from '@holdfast/model';
import { metaWith } from '../test-meta.test.ts';
import type { News } from './packet.ts';
import { newsBytes } from './packet-codec.ts';
import { RumourQueue } from './rumours.ts';

function newsOf(id: string, incarnation = 1): News {
  const meta = metaWith();
  const claim = { id: nodeId(id), incarnation, state: 'alive', gossipAddress: '10.0.0.1:7401', meta } as const;
  return { claim, ageMs: 0, accusers: [] };
}

const bytes = newsBytes(newsOf('a'));
const nobody: ReadonlySet<NodeId> = new Set();
const taken = (queue: RumourQueue, count: number, except = nobody) =>
  queue.take(count * bytes, 3, except, 0).map(({ claim }) => `${claim.id}${claim.incarnation}`);

it('tells what was told least first, each so many times', () => {
  const queue = new RumourQueue(10);
  for (const id of ['a', 'b', 'c']) queue.put(newsOf(id), 0);
  assert.deepEqual(taken(queue, 2), ['a1', 'b1']);
  assert.deepEqual(taken(queue, 2), ['c1', 'a1']);
  assert.deepEqual(taken(queue, 3), ['b1', 'c1', 'a1']);
  assert.deepEqual(taken(queue, 3), ['b1', 'c1']);
  assert.equal(queue.count, 0);
});

it('has the latest news of a member only, and keeps it from the one it is not for', () => {
  const queue = new RumourQueue(10);
  queue.put(newsOf('a', 1), 0);
  queue.put(newsOf('a', 2), 0);
  assert.deepEqual(taken(queue, 5), ['a2']);
  assert.deepEqual(taken(queue, 5, new Set([nodeId('a')])), []);
  assert.deepEqual(queue.take(bytes - 1, 3, nobody, 0), [], 'too large');
  assert.ok(queue.has(nodeId('a')));
});

it('gives up what was told most when it is full (I21)', () => {
  const queue = new RumourQueue(2);
  queue.put(newsOf('a'), 0);
  assert.deepEqual(taken(queue, 1), ['a1']);
  assert.ok(queue.put(newsOf('b'), 0));
  assert.equal(queue.put(newsOf('c'), 0), false);
  assert.deepEqual(taken(queue, 5), ['b1', 'c1']);
  assert.equal(queue.count, 2);
});

it('tells a tombstone as old as it is by then, and has counted its bytes', () => {
  const queue = new RumourQueue(2);
  const { claim } = newsOf('a');
  const dead: News = { claim: { ...claim, state: 'dead' }, ageMs: 300, accusers: [] };
  queue.put(dead, 1_000);
  queue.put(newsOf('b'), 1_000);
  const weekMs = 7 * 86_400_000;
  const bytesMax = bytes + newsBytes({ ...dead, ageMs: weekMs });
  const told = queue.take(bytesMax, 3, nobody, 1_000 + weekMs);
  assert.deepEqual(
    told.map(({ ageMs }) => ageMs),
    [300 + weekMs, 0],
  );
  assert.ok(told.reduce((sum, one) => sum + newsBytes(one), 0) <= bytesMax);
});
