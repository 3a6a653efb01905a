import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleUser } from '../sample-documents.test.ts';
import { renderUser } from './render-user.ts';

test('user get: who holds it, who says so, how fresh it is', () => {
  assert.deepEqual(renderUser(sampleUser), [
    'alice  holder n3/1 (10.0.0.13:7400)  epoch 912377  unit 00112233445566ff',
    'answered by n2 at index 918204, linearizable; state from backup (holder unreachable: deadline), may be stale',
    'access-anomaly  backup 19s old  applied 0f3c9a1e/5@88120377',
    '  events 18,220  successes 18,000  failures 200',
    '  locations',
    '    city Oslo  country NO  count 18220  successes 18000  lastSeen -',
    '  recentCities Oslo, Bergen',
    '  anomalies {"total":0,"last":[]}',
  ]);
});

test('user get: from the holder, dirty, never backed up', () => {
  const holder = { node: 'n1', shard: 0, addr: null, reachable: true, error: null };
  const backup = { ageMs: null, dirty: true };
  const lines = renderUser({ ...sampleUser, holder, source: 'holder', stale: false, backup, applied: {}, state: null });
  assert.deepEqual(lines, [
    'alice  holder n1/0  epoch 912377  unit 00112233445566ff',
    'answered by n2 at index 918204, linearizable; state from its holder',
    'access-anomaly  backup none yet, changed since',
    '  no state yet',
  ]);
});

test('user get: a state that can not be shown says why', () => {
  const lines = renderUser({ ...sampleUser, state: null, stateError: 'state version 3 is not known' });
  assert.equal(lines.at(-1), "  its state can't be shown: state version 3 is not known");
});

test('user get --history: who held it before, oldest first', () => {
  assert.match(
    renderUser(sampleUser, true).at(-1)!,
    /^history {2}n1\/2 @884101 \(granted, .* ago\) > n3\/1 @912377 \(moved\)$/,
  );
  assert.equal(renderUser({ ...sampleUser, history: [] }, true).at(-1), 'history  nothing that this node remembers');
});
