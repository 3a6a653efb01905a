import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { builtInMappings } from './built-in.ts';
import type { Login } from './login.ts';
import { Normaliser } from './normalise.ts';
import { parseMapping } from './parse-mapping.ts';

const arrival = Date.parse('2026-03-02T09:16:00Z');

function read(name: string, record: object, appendTimeUnixMs = arrival): Login {
  const login = new Normaliser(builtInMappings.get(name)!).normalise(record, appendTimeUnixMs);
  assert.ok('user' in login, JSON.stringify(login));
  return login;
}

describe('one login in each format', () => {
  const expected = {
    user: 'lea',
    timeUnixMs: Date.parse('2026-03-02T09:15:30Z'),
    flags: [],
    outcome: 'success',
    ip: '192.0.2.7',
    network: '192.0.2.0/24',
    city: 'Bergen',
    country: 'NO',
    lat: 60.39,
    lon: 5.32,
    device: 'Firefox/Linux',
  };
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0';
  const check = (login: Login, wanted: object): void => {
    for (const [field, value] of Object.entries(wanted)) assert.deepEqual(login[field as keyof Login], value, field);
  };

  test('holdfast', () => {
    const record = {
      ...{ user: 'lea', time: '2026-03-02T09:15:30Z', outcome: 'success', ip: '192.0.2.7', city: 'Bergen' },
      ...{ country: 'NO', lat: 60.39, lon: 5.32, userAgent, radiusKm: 5, asn: 64500, proxy: true, accountExists: true },
    };
    check(read('holdfast', record), {
      ...expected,
      radiusKm: 5,
      asn: 64500,
      proxy: true,
      accountExists: true,
    });
  });

  test('ecs, nested and flat', () => {
    const record = {
      '@timestamp': '2026-03-02T09:15:30Z',
      event: { category: ['authentication'], outcome: 'success' },
      user: { name: 'lea' },
      source: {
        ip: '192.0.2.7',
        geo: { city_name: 'Bergen', country_iso_code: 'NO', location: { lat: 60.39, lon: 5.32 } },
        as: { number: 64500 },
      },
      user_agent: { original: userAgent },
    };
    check(read('ecs', record), { ...expected, asn: 64500 });
    const flat = {
      '@timestamp': '2026-03-02T10:15:30+01:00',
      'event.category': 'authentication',
      'event.outcome': 'success',
      'user.name': 'lea',
      'source.ip': '::ffff:192.0.2.7',
      'source.geo': { city_name: 'Bergen', country_iso_code: 'NO', location: [5.32, 60.39] },
      'user_agent.original': userAgent,
    };
    check(read('ecs', flat), expected);
    check(read('ecs', { ...flat, 'source.geo': { location: '60.39,5.32' } }), { lat: 60.39, lon: 5.32 });
  });

  test('nginx', () => {
    const record = {
      ...{ time_iso8601: '2026-03-02T09:15:30+00:00', remote_addr: '192.0.2.7', remote_user: 'lea', status: 302 },
      http_user_agent: userAgent,
    };
    check(read('nginx', record), { ...expected, city: null, country: null, lat: null, lon: null });
    check(read('nginx', { ...record, remote_user: '-' }), { user: '192.0.2.7' });
    for (const [status, outcome] of [
      [200, 'success'],
      ['399', 'success'],
      [401, 'failure'],
      [403, 'failure'],
      [429, 'failure'],
      [404, 'unknown'],
      [500, 'unknown'],
      [null, 'unknown'],
    ] as const) {
      assert.equal(read('nginx', { ...record, status }).outcome, outcome, String(status));
    }
    const { time_iso8601, ...rest } = record;
    check(read('nginx', { ...rest, msec: '1772442930.123' }), { timeUnixMs: 1772442930123 });
  });
});

describe('cases', () => {
  const base = { user: 'lea', time: '2026-03-02T09:15:30Z', outcome: 'success' };

  test('missing fields are null', () => {
    const { user, timeUnixMs, flags, outcome, proxy, ...rest } = read('holdfast', base);
    assert.ok(Object.values(rest).every((value) => value === null));
  });

  test('0,0 and places off the globe are none', () => {
    for (const [lat, lon] of [
      [0, 0],
      ['0', '0.0'],
      [91, 5],
      [5, -181],
      [5, null],
      ['north', 5],
    ]) {
      const login = read('holdfast', { ...base, lat, lon, city: 'Bergen' });
      assert.deepEqual([login.lat, login.lon, login.city], [null, null, 'Bergen']);
    }
    assert.equal(read('holdfast', { ...base, lat: 0, lon: 5 }).lat, 0);
  });

  test('without a usable time the append time stands in', () => {
    const unset = [0, -5, 1e-9, '1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z'];
    for (const time of [undefined, null, '', 'yesterday', true, '2026-02-30T00:00:00Z', 1e300, ...unset]) {
      const login = read('holdfast', { ...base, time });
      assert.deepEqual([login.timeUnixMs, login.flags], [arrival, ['log_time']]);
      const none = new Normaliser(builtInMappings.get('holdfast')!).normalise({ ...base, time }, Number.NaN);
      assert.deepEqual(none, { dead: 'no_time' });
    }
  });

  test('an append time in micro- or nanoseconds is none', () => {
    for (const appended of [arrival * 1000, arrival * 1_000_000]) {
      const none = new Normaliser(builtInMappings.get('holdfast')!).normalise({ user: 'lea' }, appended);
      assert.deepEqual(none, { dead: 'no_time' });
      assert.deepEqual(read('holdfast', base, appended).flags, []);
    }
  });

  test('seconds and milliseconds', () => {
    for (const time of [1772442930, 1772442930000, '1772442930', '1772442930000']) {
      assert.equal(read('holdfast', { ...base, time }).timeUnixMs, 1772442930000);
    }
  });

  test('ahead of arrival', () => {
    assert.deepEqual(read('holdfast', { ...base, time: arrival + 300_000 }).flags, []);
    assert.deepEqual(read('holdfast', { ...base, time: arrival + 300_001 }).flags, ['future_time']);
    assert.deepEqual(read('holdfast', { ...base, time: arrival + 1e9 }, Number.NaN).flags, []);
  });

  test('places are trimmed, NFC, well-formed and bounded', () => {
    const login = read('holdfast', { ...base, city: ' Zu\u0308rich\n', country: '\ud800' });
    assert.deepEqual([login.city, login.country], ['Zürich', '\ufffd']);
    assert.equal(read('holdfast', { ...base, city: '😀'.repeat(300) }).city, '😀'.repeat(200));
    assert.equal(read('holdfast', { ...base, city: '  ' }).city, null);
  });

  test('users keep every character, and any name is a user', () => {
    for (const user of [' Lea ', '__proto__', 'constructor', 'é', '0']) {
      assert.equal(read('holdfast', { ...base, user }).user, user);
    }
  });

  test('addresses', () => {
    const cases: [unknown, string | null, string | null][] = [
      ['192.0.2.7:8080', '192.0.2.7', '192.0.2.0/24'],
      ['::ffff:192.0.2.7', '192.0.2.7', '192.0.2.0/24'],
      ['::FFFF:c000:0207', '192.0.2.7', '192.0.2.0/24'],
      ['[2001:db8:a:b::1]:443', '2001:db8:a:b::1', '2001:db8:a::/48'],
      ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1', '2001:db8::/48'],
      ['fe80::1%eth0', 'fe80::1', 'fe80::/48'],
      ['::', '::', '::/48'],
      ['[::1]', '::1', '::/48'],
      ['AWS Internal', null, null],
      ['signin.amazonaws.com', null, null],
      ['192.0.2.256', null, null],
      ['192.0.2', null, null],
      ['192.0.02.1', null, null],
      ['1::2::3', null, null],
      ['1:2:3:4:5:6:7:8:9', null, null],
      ['-', null, null],
      [17, null, null],
    ];
    for (const [ip, canonical, network] of cases) {
      const login = read('holdfast', { ...base, ip });
      assert.deepEqual([login.ip, login.network], [canonical, network], String(ip));
    }
    assert.equal(read('holdfast', { ...base, ip: ['unknown', '192.0.2.7'] }).ip, '192.0.2.7');
  });

  test('devices have no versions, and bots their name', () => {
    const device = (userAgent: string): string | null => read('holdfast', { ...base, userAgent }).device;
    assert.equal(device('curl/8.5.0'), 'curl');
    assert.equal(device('python-requests/2.31'), 'python-requests');
    assert.equal(device('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'), 'bot Googlebot');
    const phone = 'Mozilla/5.0 (Linux; Android 9; CUBOT_P30) AppleWebKit/537.36 Chrome/92.0 Mobile Safari/537.36';
    assert.equal(device(phone), 'Chrome/Android');
    assert.equal(device('\u0000\u0001'), 'unknown');
    assert.equal(device(''), null);
    assert.equal(read('holdfast', { ...base, deviceId: 'd-1' }).device, 'd-1');
  });
});

describe('mappings as documents', () => {
  test('a whole one', () => {
    const parsed = parseMapping({
      name: 'mine',
      filter: [{ path: 'kind', in: ['login', 7] }],
      fields: { user: 'who', time: ['at', 'when'], city: { paths: ['place.city'], empty: ['?'] } },
      timeFormat: 'iso-utc',
      outcome: { paths: 'ok', success: [true, { from: 1, to: 5 }], failure: false, default: 'success' },
    });
    assert.ok(parsed.ok);
    const normaliser = new Normaliser(parsed.mapping);
    const login = normaliser.normalise(
      { kind: 7, who: 5, when: '2026-01-01T00:00:00', ok: false, place: { city: '?' } },
      0,
    );
    assert.ok('user' in login);
    assert.deepEqual([login.user, login.outcome, login.city], ['5', 'failure', null]);
    assert.equal(login.timeUnixMs, Date.parse('2026-01-01T00:00:00Z'));
    assert.deepEqual(normaliser.normalise({ kind: 'x', who: 5 }, 0), { skip: 'filtered' });
    assert.deepEqual(normaliser.normalise({ kind: 'login' }, 0), { skip: 'no_user' });
  });

  test('all problems at once', () => {
    const parsed = parseMapping({
      filters: [],
      fields: { usr: 'x', time: 5, city: { path: 'a' } },
      timeFormat: 'days',
      outcome: { success: [{ from: 5, to: 1 }], default: 'maybe' },
      filter: [{ path: 'a' }, 'x', { path: 'b', in: 'c' }],
    });
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.problems, [
      'filters: unknown key; did you mean filter?',
      'name: undefined, expected a text',
      'fields.usr: unknown key; did you mean user?',
      'fields.time: 5, expected a path or a list of paths',
      'fields.city.path: unknown key; did you mean paths?',
      'fields.city.paths: undefined, expected a path or a list of paths',
      'fields.user: missing; every record needs a user',
      'timeFormat: "days", expected one of auto, iso, iso-utc, s, ms',
      'filter[0]: {"path":"a"}, expected exactly one of equals, in, contains',
      'filter[1]: "x", expected an object with path and one of equals, in, contains',
      'filter[2].in: "c", expected a list of at least one',
      'outcome.default: "maybe", expected success, failure or unknown',
      'outcome.paths: missing; success and failure are tests of what is there',
      'outcome.success[0]: {"from":5,"to":1}, expected a range {from, to} of numbers',
    ]);
    assert.deepEqual(parseMapping([]), { ok: false, problems: ['mapping: [], expected an object'] });
  });

  test('what could never do anything is a problem', () => {
    const problemsOf = (more: object): string[] => {
      const parsed = parseMapping({ name: 'mine', fields: { user: 'who' }, ...more });
      return parsed.ok ? [] : parsed.problems;
    };
    assert.deepEqual(problemsOf({}), []);
    assert.deepEqual(problemsOf({ outcome: { success: 'ok' } }), [
      'outcome.paths: missing; success and failure are tests of what is there',
    ]);
    assert.deepEqual(problemsOf({ outcome: { paths: 'result', default: 'success' } }), [
      'outcome: paths without success or failure; nothing there would be tested',
    ]);
    assert.deepEqual(problemsOf({ outcome: { default: 'success' } }), []);
    assert.deepEqual(problemsOf({ filter: [{ path: 'kind', in: [] }] }), [
      'filter[0].in: [], expected a list of at least one',
    ]);
    assert.deepEqual(problemsOf({ fields: { user: 'who', lat: 'geo.lat' } }), [
      'fields.lon: missing; a place needs both, or a point',
    ]);
  });
});
