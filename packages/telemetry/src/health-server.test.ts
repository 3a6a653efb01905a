import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type HealthCheck, HealthServer } from './health-server.ts';
import { Metrics } from './metrics.ts';

test('probes answer with their checks, metrics with what is read at that moment', async () => {
  let ready: HealthCheck[] = [{ name: 'session', ok: false, text: 'none' }];
  let applied = 1;
  const metrics = new Metrics([
    {
      name: 'records_total',
      help: 'records',
      kind: 'counter',
      labels: ['job'],
      read: () => [{ labels: { job: 'j' }, value: applied }],
    },
    { name: 'age_seconds', help: 'age', kind: 'gauge', read: () => [{ value: 2.5 }] },
  ]);
  const server = await HealthServer.listen(
    { host: '127.0.0.1', port: 0 },
    {
      started: () => [],
      live: () => [{ name: 'loop', ok: true, text: 'turns' }],
      ready: () => ready,
      metrics: { contentType: Metrics.contentType, text: () => metrics.text() },
    },
  );
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  assert.deepEqual(await get('/startupz'), { status: 200, type: 'text/plain; charset=utf-8', text: 'ok\n' });
  assert.equal((await get('/livez?verbose')).text, '+ loop: turns\n');
  const unready = await get('/readyz');
  assert.deepEqual([unready.status, unready.text], [503, '- session: none\n']);
  ready = [{ name: 'session', ok: true, text: '17' }];
  assert.equal((await get('/readyz')).status, 200);
  assert.match((await get('/metrics')).text, /^holdfast_records_total\{job="j"\} 1$/m);
  applied = 5;
  const scraped = await get('/metrics');
  assert.match(scraped.text, /^holdfast_records_total\{job="j"\} 5$/m);
  assert.match(scraped.text, /^holdfast_age_seconds 2.5$/m);
  assert.match(scraped.type!, /^text\/plain; version=0.0.4/);
  assert.equal((await get('/else')).status, 404);
  assert.equal((await get('/livez', 'POST')).status, 405);

  for (const [path, status] of [
    ['//', 404],
    ['///', 404],
    ['//:80', 404],
    ['http://', 400],
    ['*', 400],
  ] as const) {
    const strange = connect(server.port, '127.0.0.1');
    strange.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(String((await once(strange, 'data'))[0]), new RegExp(`^HTTP/1.1 ${status} `), path);
    strange.destroy();
  }

  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET /livez HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 431 /, 'headers without end are refused');
  socket.destroy();
  await server.close();
});

test('what is not known is left out, and is no 0', async () => {
  let known = false;
  const read = () => (known ? [{ value: 7 }] : []);
  const metrics = new Metrics([
    { name: 'age_seconds', help: 'age', kind: 'gauge', read },
    { name: 'seen_total', help: 'seen', kind: 'counter', read },
  ]);
  assert.doesNotMatch(await metrics.text(), /^holdfast_/m);
  known = true;
  assert.match(await metrics.text(), /^holdfast_age_seconds 7$/m);
  assert.match(await metrics.text(), /^holdfast_seen_total 7$/m);
});

test('connections that say nothing keep probes out for no longer than the server has patience', async () => {
  const metrics = { contentType: '', text: async () => '' };
  const source = { started: () => [], live: () => [], ready: () => [], metrics };
  const server = await HealthServer.listen({ host: '127.0.0.1', port: 0 }, source, 200);
  const silent = connect(server.port, '127.0.0.1');
  silent.resume();
  const startMs = performance.now();
  await once(silent, 'close');
  assert.ok(performance.now() - startMs < 5_000);
  await server.close();
});
