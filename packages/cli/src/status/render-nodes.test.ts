import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleStatus } from '../sample-documents.test.ts';
import { renderNode, renderNodes } from './render-nodes.ts';

test('nodes: a line each, with the part in Raft and the state', () => {
  const [first, ...others] = sampleStatus.nodes;
  const nodes = [{ ...first!, draining: true }, ...others];
  assert.deepEqual(renderNodes(nodes, 'n2'), [
    'NODE  ADDR            RAFT      LEASES  VERSION  UP    STATE',
    'n1    10.0.0.11:7400  follower  41,870  0.4.1    3d4h  draining',
    'n2    10.0.0.12:7400  leader    41,902  0.4.1    3d4h  up',
    'n3    10.0.0.13:7400  ?         41,655  0.4.1    -     unreachable (no ack)',
  ]);
});

test('one node: a line per fact and shard', () => {
  const lines = renderNode(sampleStatus.nodes[0]!, 'n2');
  assert.deepEqual(lines.slice(0, 3), ['node       n1', 'address    10.0.0.11:7400', 'state      up']);
  assert.match(lines.at(-1)!, /^shard 0 +10\.0\.0\.11:41001, 41,870 leases, reads access-log\/0 access-log\/3$/);
});
