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

test('where certificates are not taken, or only one side has TLS, it is said which', () => {
  const grpc = (error: string) => `No connection established. Last error: ${error}. Resolution note: `;
  assert.match(detailsText(grpc('Failed to connect (2026-01-01T20:43:22.301Z)')), /wants a client's certificate/);
  const ssl = (reason: string) =>
    grpc(`Error: 40B3:error:0A00010B:SSL routines:tls_record:${reason}:../openssl/tlsany_meth.c:78:\n`);
  assert.equal(detailsText(ssl('wrong version number')), "it doesn't speak TLS");
  assert.equal(detailsText(ssl('tlsv1 alert unknown ca')), 'no TLS with it: tlsv1 alert unknown ca');
  assert.equal(
    detailsText(grpc('Error: self-signed certificate in certificate chain')),
    'its certificate is refused: self-signed certificate in certificate chain',
  );
});
