import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthChecks } from './node-health.ts';

test('a node whose log or store is away is not ready, says which, and lives', () => {
  const checks = healthChecks(() => ({
    control: null,
    isStarted: true,
    isStopping: false,
    waitingFor: null,
    services: { log: { awayMs: 21_000, why: 'refused' }, store: { awayMs: null, why: null } },
  }));
  const ready = checks.ready().filter(({ name }) => name === 'log' || name === 'store');
  assert.deepEqual(ready, [
    { name: 'log', ok: false, text: 'no answer for 21s: refused' },
    { name: 'store', ok: true, text: 'answers' },
  ]);
  assert.ok(checks.live().every(({ ok }) => ok));
});
