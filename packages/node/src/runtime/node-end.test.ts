import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlPlaneError, RaftStorageError } from '@holdfast/engine';
import { nodeId } from '@holdfast/model';
import { NodeEndError, nodeEndError } from './node-end.ts';

const folder = { dir: '/data/nodes/n3', raftPath: '/data/nodes/n3/raft' };

test('who is refused learns what to do; other ends stay as they are', () => {
  const of = (code: ConstructorParameters<typeof ControlPlaneError>[0]) =>
    nodeEndError(new ControlPlaneError(code, 'because'), nodeId('n3'), folder) as Error;
  assert.match(
    of('NODE_ID_TAKEN').message,
    /node n3 .*\/data\/nodes\/n3 is refused.*holdfast node rm n3.*another node\.id/,
  );
  assert.match(of('REMOVED').message, /node n3 was removed.*move \/data\/nodes\/n3 away/);
  assert.match(of('SUPERSEDED').message, /another process/);
  assert.ok(of('REMOVED') instanceof NodeEndError);
  assert.equal(of('SHARD_FAILED').message, 'because');
  const other = new Error('disk');
  assert.equal(nodeEndError(other, nodeId('n3'), folder), other);
});

test('a damaged Raft log: which folder, what is wrong, what to do; a disk that fails is no damage', () => {
  const of = (code: 'CORRUPT' | 'IO') =>
    nodeEndError(new RaftStorageError(code, 'entry 7 fails its checksum'), nodeId('n3'), folder) as Error;
  assert.match(of('CORRUPT').message, /node n3 .*entry 7 fails.*move \/data\/nodes\/n3\/raft away, and start.*learner/);
  assert.equal((of('CORRUPT') as NodeEndError).code, 'RAFT_DAMAGED');
  assert.equal(of('IO').message, 'entry 7 fails its checksum');
});
