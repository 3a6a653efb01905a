import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initialUserState, type UserState } from '../aggregate/user-state.ts';
import { builtInMappings } from '../mapping/built-in.ts';
import { Normaliser } from '../mapping/normalise.ts';
import type { AnomalyEvent } from './anomaly-event.ts';
import { GateScorer } from './gate-scorer.ts';
import { distanceKm } from './geodesy.ts';
import { handleLogin } from './handle-login.ts';

const normaliser = new Normaliser(builtInMappings.get('holdfast')!);
const start = Date.parse('2026-03-02T09:00:00Z');
const minute = 60_000;

const bergen = { city: 'Bergen', country: 'NO', lat: 60.39, lon: 5.32, ip: '10.0.0.1', asn: 1 };
const oslo = { city: 'Oslo', country: 'NO', lat: 59.91, lon: 10.75, ip: '10.0.1.1', asn: 1 };
const tokyo = { city: 'Tokyo', country: 'JP', lat: 35.69, lon: 139.69, ip: '10.9.0.1', asn: 9 };
const madrid = { city: 'Madrid', country: 'ES', lat: 40.42, lon: -3.7, ip: '10.8.0.1', asn: 8 };

class User {
  readonly state: UserState = initialUserState();
  readonly events: AnomalyEvent[] = [];
  #offset = 0;

  at(minutes: number, record: object, appendTimeUnixMs = Number.NaN): AnomalyEvent | null {
    const time = new Date(start + minutes * minute).toISOString();
    const login = normaliser.normalise({ user: 'lea', outcome: 'success', time, ...record }, appendTimeUnixMs);
    assert.ok('user' in login);
    const offset = this.#offset++;
    const event = handleLogin(this.state, login, { partition: 3, offset }, `job/1/log/3/${offset}/0`, new GateScorer());
    if (event !== null) this.events.push(event);
    return event;
  }

  settled(place: object = bergen): this {
    for (let i = 0; i < 12; i++) this.at(i - 1000, place);
    assert.equal(this.events.length, 0);
    return this;
  }
}

describe('travel', () => {
  test('far and fast is high, with evidence', () => {
    const user = new User().settled();
    user.at(0, bergen);
    const event = user.at(60, tokyo);
    assert.equal(event?.level, 'high');
    assert.equal(event.id, 'job/1/log/3/13/0');
    assert.equal(event.schema, 'holdfast/anomaly/v1');
    assert.equal(event.time, '2026-03-02T10:00:00.000Z');
    assert.deepEqual(
      event.reasons.map((reason) => reason.signal),
      ['impossible_travel', 'new_city'],
    );
    assert.equal(event.reasons[0]!.contribution, 5);
    assert.match(event.reasons[0]!.text, /^\d{4} km from Bergen \(NO\) in 60 min$/);
    assert.deepEqual(event.evidence.previous, { time: '2026-03-02T09:00:00.000Z', city: 'Bergen' });
    assert.equal(event.evidence.successes, 13);
    assert.equal(event.oneIn, null);
    const sum = event.reasons.reduce((total, reason) => total + reason.contribution, 0);
    assert.ok(Math.abs(sum - event.score) < 1e-9);
    assert.deepEqual(user.state.anomalies.id, [event.id]);
  });

  const quiet: [string, object][] = [
    ['same network', { ...tokyo, ip: bergen.ip }],
    ['same carrier and country', { ...tokyo, asn: 1, country: 'NO', city: 'Elsewhere' }],
    ['behind a proxy', { ...tokyo, proxy: true }],
    ['a coarse place', { ...tokyo, radiusKm: 500 }],
    ['no coordinates', { ...tokyo, lat: 0, lon: 0 }],
    ['no city', { ...tokyo, city: '' }],
    ['near enough', oslo],
    ['a failure', { ...tokyo, outcome: 'failure' }],
  ];
  for (const [name, record] of quiet) {
    test(`not high: ${name}`, () => {
      const user = new User().settled();
      user.at(0, bergen);
      assert.notEqual(user.at(60, record)?.level, 'high');
    });
  }

  test('not high: slow enough, own city, still learning', () => {
    const slow = new User().settled();
    slow.at(0, bergen);
    assert.equal(slow.at(24 * 60, tokyo)?.level, 'medium');
    slow.at(24 * 60 + 5, bergen);
    assert.equal(slow.at(24 * 60 + 10, tokyo), null);
    const learning = new User();
    learning.at(0, bergen);
    assert.equal(learning.at(10, tokyo), null);
  });

  test('ready also by age: fourteen days and three successes', () => {
    const user = new User();
    for (const day of [0, 5, 15]) user.at(day * 1440, bergen);
    assert.equal(user.at(15 * 1440 + 30, tokyo)?.level, 'high');
  });
});

describe('new city', () => {
  test('medium after ten successes with a city, and once', () => {
    const user = new User();
    for (let i = 0; i < 9; i++) user.at(i, bergen);
    assert.equal(user.at(9, { ...oslo }), null);
    const event = user.at(100, { city: 'Voss', country: 'NO' });
    assert.equal(event?.level, 'medium');
    assert.equal(event.reasons[0]!.contribution, 1.099);
    assert.equal(user.at(101, { city: 'Voss', country: 'NO' }), null);
  });

  test('a city seen only in failures stays new', () => {
    const user = new User().settled();
    for (let i = 0; i < 5; i++) assert.equal(user.at(i, { ...madrid, outcome: 'failure' }), null);
    assert.equal(user.at(60, { city: 'Madrid', country: 'ES' })?.level, 'medium');
  });

  test('an outcome that is unknown is neither judged nor learned', () => {
    const user = new User().settled();
    for (let i = 0; i < 3; i++) assert.equal(user.at(i, { ...tokyo, outcome: 'challenge' }), null);
    assert.equal(user.at(60, tokyo)?.level, 'medium');
  });

  test('a city seen only by a clock that was ahead stays new', () => {
    const user = new User().settled();
    user.at(1000, madrid, start);
    assert.equal(user.at(60, { city: 'Madrid', country: 'ES' })?.level, 'medium');
  });

  test('not judged: from the future, or a week late', () => {
    const user = new User().settled();
    assert.equal(user.at(1000, tokyo, start), null);
    user.at(20_000, bergen);
    assert.equal(user.at(0, tokyo), null);
    assert.equal(user.state.events, 15);
  });
});

describe('burst', () => {
  test('the eleventh failure within an hour, once per hour', () => {
    const user = new User();
    const fail = (minutes: number) => user.at(minutes, { outcome: 'failure' });
    for (let i = 0; i < 10; i++) assert.equal(fail(i), null);
    const event = fail(10);
    assert.equal(event?.level, 'medium');
    assert.equal(event.reasons[0]!.signal, 'burst');
    assert.equal(event.outcome, 'failure');
    for (let i = 11; i < 60; i++) assert.equal(fail(i), null);
    assert.equal(fail(60)?.level, 'medium');
    assert.equal(user.state.anomalies.total, 2);
  });

  test('failures that come a week late are counted and not judged', () => {
    const user = new User();
    user.at(8 * 1440, bergen);
    for (let i = 0; i < 12; i++) assert.equal(user.at(i, { outcome: 'failure' }), null);
    assert.equal(user.state.failures, 12);
  });

  test('eleven failures over a day are none', () => {
    const user = new User();
    for (let i = 0; i < 30; i++) assert.equal(user.at(i * 30, { outcome: 'failure' }), null);
  });
});

test('distances are those of the globe', () => {
  assert.ok(Math.abs(distanceKm(60.39, 5.32, 59.91, 10.75) - 305) < 2);
  assert.ok(Math.abs(distanceKm(0, 0, 0, 180) - 20015) < 1);
  assert.equal(distanceKm(1, 2, 1, 2), 0);
});
