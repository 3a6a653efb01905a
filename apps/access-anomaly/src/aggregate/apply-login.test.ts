import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtInMappings } from '../mapping/built-in.ts';
import type { Login } from '../mapping/login.ts';
import { Normaliser } from '../mapping/normalise.ts';
import { compare } from '../reference/compare.ts';
import { recount } from '../reference/recount.ts';
import { viewUser } from '../view.ts';
import { applyLogin, noteAnomaly } from './apply-login.ts';
import { locationsMax } from './locations.ts';
import { initialUserState, type UserState } from './user-state.ts';

const start = Date.parse('2026-03-02T09:00:00Z');
const holdfast = new Normaliser(builtInMappings.get('holdfast')!);

interface Sent {
  login: Login;
  partition: number;
  offset: number;
  value: Buffer;
}

function sent(record: object, partition: number, offset: number, appendTimeUnixMs = Number.NaN): Sent {
  const login = holdfast.normalise(record, appendTimeUnixMs);
  assert.ok('user' in login);
  return { login, partition, offset, value: Buffer.from(JSON.stringify(record)) };
}

function stateOf(records: readonly Sent[]): UserState {
  const state = initialUserState();
  for (const { login, partition, offset } of records) applyLogin(state, login, { partition, offset });
  return state;
}

const city = fc.constantFrom(
  ' Bergen',
  'Bergen ',
  'Zürich',
  'Zu\u0308rich',
  'a',
  'b',
  'c',
  'd',
  'e',
  'f',
  'g',
  'h',
  'i',
  '',
  null,
);
const record = fc.record(
  {
    user: fc.constant('lea'),
    // Few different times, so that positions have to break ties.
    time: fc.integer({ min: 0, max: 40 }).map((s) => new Date(start + s * 1000).toISOString()),
    outcome: fc.constantFrom('success', 'success', 'success', 'failure', 'other'),
    city,
    country: fc.constantFrom('NO', 'CH', '', null),
    ip: fc.integer({ min: 0, max: 20 }).map((n) => `10.0.${n}.1`),
  },
  { requiredKeys: ['user', 'time', 'outcome'] },
);

test('any order of arrival gives the same exact fields, those of the recount', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 60 }), fc.infiniteStream(fc.nat()), (records, random) => {
      const all = records.map((value, i) => sent(value, i % 3, Math.floor(i / 3), start + 20_000 - 300_000));
      const shuffled = all.slice();
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = (random.next().value ?? 0) % (i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      const exact = (state: UserState): unknown => {
        const { recentNetworks, recentDevices, anomalies, ...rest } = viewUser(state, 'lea');
        return rest;
      };
      const view = viewUser(stateOf(shuffled), 'lea');
      assert.deepEqual(exact(stateOf(all)), exact(stateOf(shuffled)));
      const raw = all.map(({ partition, offset, value }) => ({
        partition,
        offset,
        value,
        timestampUnixMs: start + 20_000 - 300_000,
      }));
      assert.deepEqual(compare([view], recount('holdfast', raw)), { lost: 0, duplicates: 0, differences: [] });
    }),
    { numRuns: 400 },
  );
});

test('a full table of places gives up the longest unseen, and the sum still holds', () => {
  const records = Array.from({ length: locationsMax + 10 }, (_, i) =>
    sent({ user: 'lea', time: new Date(start + i * 1000).toISOString(), outcome: 'success', city: `c${i}` }, 0, i),
  );
  const state = stateOf(records);
  assert.equal(state.locations.city.length, locationsMax);
  assert.equal(state.otherLocations, 10);
  assert.equal(state.locations.city[0], 'c10');
  const sum = state.locations.count.reduce((a, b) => a + b, 0);
  assert.equal(sum + state.noLocation + state.otherLocations, state.events);
});

test('a record from the future counts, and holds no list', () => {
  const state = stateOf([
    sent({ user: 'lea', time: '2030-01-01T00:00:00Z', outcome: 'success', city: 'Oslo', ip: '10.0.0.1' }, 0, 0, start),
  ]);
  const view = viewUser(state, 'lea');
  assert.deepEqual(view.locations, [{ city: 'Oslo', country: null, count: 1, successes: 1, lastSeen: null }]);
  assert.deepEqual([view.recentCities, view.recentLogins, view.recentNetworks], [[], [], []]);
});

test('recent networks: ten latest, with count and last seen', () => {
  const at = (i: number): string => new Date(start + i * 1000).toISOString();
  const records = Array.from({ length: 12 }, (_, i) =>
    sent({ user: 'lea', time: at(i), outcome: 'failure', ip: `10.0.${i}.1` }, 0, i),
  );
  records.push(sent({ user: 'lea', time: at(20), outcome: 'success', ip: '10.0.5.9' }, 0, 12));
  const { recentNetworks } = viewUser(stateOf(records), 'lea');
  assert.equal(recentNetworks.length, 10);
  assert.deepEqual(recentNetworks[0], { network: '10.0.5.0/24', count: 2, lastSeen: '2026-03-02T09:00:20.000Z' });
  assert.equal(recentNetworks[1]!.network, '10.0.11.0/24');
  assert.equal(recentNetworks[9]!.network, '10.0.2.0/24');
});

test('the view has the fields of the contract, in order', () => {
  const state = stateOf([]);
  for (let i = 0; i < 7; i++) noteAnomaly(state, `id${i}`, start + i, 'medium');
  const view = viewUser(state, 'lea');
  assert.deepEqual(Object.keys(view), [
    ...['user', 'events', 'successes', 'failures', 'locations', 'noLocation', 'otherLocations'],
    ...['recentCities', 'recentLogins', 'recentNetworks', 'recentDevices', 'anomalies'],
  ]);
  assert.equal(view.anomalies.total, 7);
  assert.deepEqual(
    view.anomalies.last.map((anomaly) => anomaly.id),
    ['id6', 'id5', 'id4', 'id3', 'id2'],
  );
});
