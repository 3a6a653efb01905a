import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlPlaneError } from '@holdfast/engine';
import { nodeId } from '@holdfast/model';
import { NodeEndError, nodeEndError } from './node-end.ts';

test('who is refused learns what to do; other ends stay as they are', () => {
  const of = (code: ConstructorParameters<typeof ControlPlaneError>[0]) =>
    nodeEndError(new ControlPlaneError(code, 'because'), nodeId('n3'), '/data/nodes/n3') as Error;
  assert.match(
    of('NODE_ID_TAKEN').message,
    /node n3 .*\/data\/nodes\/n3 is refused.*holdfast node rm n3.*another node\.id/,
  );
  assert.match(of('REMOVED').message, /node n3 was removed.*move \/data\/nodes\/n3 away/);
  assert.match(of('SUPERSEDED').message, /another process/);
  assert.ok(of('REMOVED') instanceof NodeEndError);
  assert.equal(of('SHARD_FAILED').message, 'because');
  const other = new Error('disk');
  assert.equal(nodeEndError(other, nodeId('n3'), '/d'), other);
});
