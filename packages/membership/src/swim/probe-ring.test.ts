import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type NodeId, nodeId, SeededRng } from '@holdfast/model';
import { ProbeRing } from './probe-ring.ts';

it('has everybody in each round, and nobody who is gone', () => {
  const rng = new SeededRng(1);
  const ring = new ProbeRing();
  const all = new Set<NodeId>(['a', 'b', 'c', 'd'].map(nodeId));
  for (let round = 0; round < 5; round++) {
    const seen = new Set(Array.from(all, () => ring.next(all, rng)));
    assert.deepEqual([...seen].sort(), [...all]);
  }
  ring.next(all, rng);
  const few = new Set([nodeId('d')]);
  assert.equal(ring.next(few, rng), 'd');
  assert.equal(ring.next(few, rng), 'd');
  assert.equal(ring.next(new Set(), rng), null);
});
