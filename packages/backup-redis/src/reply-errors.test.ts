import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisStoreError } from './errors.ts';
import { remedyOf } from './reply-errors.ts';

function reply(text: string): Error {
  return Object.assign(new Error(text), { name: 'ReplyError', command: { name: 'auth', args: ['secret'] } });
}

test('each reply has its remedy', () => {
  const cases: [text: string, expected: string][] = [
    ['LOADING Redis is loading the dataset in memory', 'retry'],
    ['MOVED 3999 127.0.0.1:6381', 'retry'],
    ['ASK 3999 127.0.0.1:6381', 'retry'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'retry'],
    ['CLUSTERDOWN The cluster is down', 'retry'],
    ["READONLY You can't write against a read only replica.", 'retry'],
    ['NOREPLICAS Not enough good replicas to write.', 'retry'],
    ['BUSY Redis is busy running a script.', 'retry'],
    ['ERR Function not found', 'reload'],
    ['NOSCRIPT No matching script.', 'reload'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'FULL'],
    ['MISCONF Redis is configured to save RDB snapshots', 'FULL'],
    ['NOPERM this user has no permissions', 'AUTHENTICATION'],
    ['WRONGPASS invalid username-password pair', 'AUTHENTICATION'],
    ['CORRUPT the stored row of unit 00 is damaged', 'CORRUPT'],
    ['ERR something else', 'REFUSED'],
  ];
  for (const [text, expected] of cases) {
    const error = reply(text);
    const remedy = remedyOf(error, 'redis h:1');
    assert.equal(remedy instanceof RedisStoreError ? remedy.code : remedy, expected, text);
    assert.ok(!('command' in error), 'what hangs on the error holds secrets');
  }
});

test('a broken connection is tried again', () => {
  for (const text of ['Connection is closed.', 'read ECONNRESET', 'Command timed out']) {
    assert.equal(remedyOf(new Error(text), 'redis h:1'), 'retry');
  }
});
