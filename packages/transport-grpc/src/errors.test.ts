import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detailsText } from './errors.ts';

test('a refused connection is said in the words of people', () => {
  const grpc = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:30881. Resolution note: ';
  assert.equal(detailsText(grpc), 'connection refused by 127.0.0.1:30881');
  assert.equal(
    detailsText('No connection established. Last error: connect EHOSTUNREACH 10.0.0.9:7400 '),
    'no connection (EHOSTUNREACH) to 10.0.0.9:7400',
  );
  assert.equal(
    detailsText('No connection established. Last error: Protocol error (2026-01-01T20:43:22.301Z). Resolution note: '),
    'it speaks no gRPC: not the address of listen.control?',
  );
  assert.equal(
    detailsText('No connection established. Last error: read ECONNRESET (2026-01-01T20:43:22.301Z). Resolution note: '),
    'read ECONNRESET',
  );
  assert.equal(detailsText('the node is starting'), 'the node is starting');
  assert.equal(detailsText(undefined), 'no details');
});
