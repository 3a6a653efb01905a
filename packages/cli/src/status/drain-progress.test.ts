import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusNode } from '@holdfast/node';
import { sampleStatus } from '../sample-documents.test.ts';
import { drainState, isDrained } from './drain-progress.ts';

const [answering, , silent] = sampleStatus.nodes;
const stateOf = (node: StatusNode | undefined, given: Partial<StatusNode>) =>
  drainState({ ...sampleStatus, nodes: [{ ...node!, ...given }] }, node!.id);

test('a node that answers tells what it has left', () => {
  assert.deepEqual(drainState(sampleStatus, 'n1'), { leases: 41_870, partitions: 2 });
  const reading = stateOf(answering, { leases: { count: 0, stale: false } });
  assert.deepEqual(reading, { leases: 0, partitions: 2 });
  assert.equal(isDrained(reading!), false);
  assert.ok(isDrained(stateOf(answering, { leases: { count: 0, stale: false }, shards: [] })!));
});

test('of one that does not answer nobody knows what it reads, until its session is over', () => {
  assert.equal(stateOf(silent, { leases: { count: 0, stale: true } }), null);
  assert.ok(isDrained(stateOf(silent, { session: { id: null, endsInMs: null } })!));
  assert.equal(drainState(sampleStatus, 'n9'), null);
});
