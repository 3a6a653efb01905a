import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileText, problemsOf } from './compile-text.test.ts';

test('three files from wherever settings come from, or none', () => {
  assert.equal(compileText('').config.tls, null);
  assert.deepEqual(compileText('tls: {ca: ca.pem, cert: /n1.pem}', { HOLDFAST_TLS_KEY: 'n1.key' }).config.tls, {
    caFile: '/etc/holdfast/ca.pem',
    certFile: '/n1.pem',
    keyFile: '/srv/n1.key',
  });
});

test('who forgets one of the files does not run plain, and is told with all else that is wrong', () => {
  assert.deepEqual(problemsOf('tls: {cert: a, ca: b}\nsession: {stop: 1}'), [
    'session.stop: 1 (/etc/holdfast/c.yaml): a duration with its unit, such as 500ms, 30s or 2m',
    'tls.key: missing: tls.ca, tls.cert and tls.key go together, all three or none',
  ]);
  assert.equal(problemsOf('', { HOLDFAST_TLS_KEY: 'k' }).length, 2);
  assert.deepEqual(problemsOf('tls: {ca: [a]}'), ['tls.ca: ["a"] (/etc/holdfast/c.yaml): a text']);
});
