import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRedisOptions, describeTopology, type RedisStoreOptions } from './options.ts';

const problemsOf = (options: RedisStoreOptions): string => {
  try {
    compileRedisOptions(options);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'OPTIONS');
    return (error as Error).message;
  }
  return assert.fail('these options were taken');
};

test('a URL has server, credentials, database and TLS; what stands beside it wins', () => {
  const compiled = compileRedisOptions({ url: 'rediss://us%40er:p%3Aw@[::1]:6380/3', password: 'other' });
  assert.deepEqual(compiled.topology, { kind: 'standalone', host: '::1', port: 6380 });
  assert.equal(describeTopology(compiled.topology), 'redis [::1]:6380');
  const { username, password, db, tls, keyPrefix } = compiled;
  assert.deepEqual(
    { username, password, db, tls, keyPrefix },
    {
      username: 'us@er',
      password: 'other',
      db: 3,
      tls: {},
      keyPrefix: 'holdfast:',
    },
  );
  assert.deepEqual(compileRedisOptions({ url: 'redis://host' }).topology, {
    kind: 'standalone',
    host: 'host',
    port: 6379,
  });
});

test('Sentinel and Cluster are named by their nodes', () => {
  const { topology } = compileRedisOptions({ sentinel: { name: 'm', nodes: ['a:1', '[::2]:2'] } });
  assert.equal(describeTopology(topology), 'redis m by sentinels a:1, [::2]:2');
  assert.equal(describeTopology(compileRedisOptions({ cluster: { nodes: ['a:1'] } }).topology), 'redis cluster a:1');
});

test('all that is wrong is said at once, and no password', () => {
  assert.match(problemsOf({}), /^0 of url, sentinel and cluster are given: expected exactly one$/);
  const text = problemsOf({ url: 'http://u:secret@h', cluster: { nodes: ['x', 'h:0'] }, db: 2, replyTimeoutMs: 0 });
  for (const part of [
    /url http:\/\/h/,
    /2 of url/,
    /"x": expected host:port/,
    /"h:0"/,
    /db is 2/,
    /replyTimeoutMs is 0/,
  ]) {
    assert.match(text, part);
  }
  assert.doesNotMatch(text, /secret/);
  assert.doesNotMatch(problemsOf({ url: 'redis//:secret@h' }), /secret/);
  assert.match(problemsOf({ url: 'redis://h', keyPrefix: 'a{b}' }), /keyPrefix/);
  assert.match(problemsOf({ url: 'redis://h', username: 'u' }), /no password/);
  assert.match(problemsOf({ url: 'redis://h', replyTimeoutMs: 9, callTimeoutMs: 8 }), /above callTimeoutMs/);
  assert.match(problemsOf({ sentinel: { name: '', nodes: [] } }), /name is empty.*nodes is empty/);
});
