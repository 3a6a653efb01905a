import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { Proposals } from './proposals.ts';
import type { LeaseRecord } from './records.ts';

test('of two starts of a node on their way the later one still is when the first is applied', () => {
  const proposals = new Proposals();
  const opened = (counter: number): LeaseRecord => ({
    kind: 'sessionOpened',
    nodeId: nodeId('a'),
    uuid: 'folder',
    counter,
    shards: 1,
    addresses: ['a:1', 'a:2'],
    version: '1',
  });
  proposals.track([opened(3)]);
  proposals.track([opened(4)]);
  proposals.settle([opened(3)]);
  // Else a copy of the folder, with as many starts, would be told that it has a session.
  assert.equal(proposals.opening(nodeId('a'))?.counter, 4);
  proposals.settle([opened(4)]);
  assert.equal(proposals.opening(nodeId('a')), undefined);
});
