import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { builtInMappings } from '../mapping/built-in.ts';
import { defaultRecordLimits, parseRecord } from '../mapping/key-exact.ts';
import { KeyScanner, keyFound } from '../mapping/key-scan.ts';
import { Normaliser } from '../mapping/normalise.ts';
import { compare, type ExportedUser } from './compare.ts';
import { type RawRecord, readRecord } from './read-record.ts';
import { recount } from './recount.ts';

const arrival = Date.parse('2026-03-02T09:16:00Z');

function raw(value: string | Uint8Array, offset = 0, timestampUnixMs = arrival): RawRecord {
  return { partition: 0, offset, timestampUnixMs, value: typeof value === 'string' ? Buffer.from(value) : value };
}

const fieldValue = fc.oneof(
  fc.constantFrom<unknown>('success', 'failure', '', '-', null, true, 404, '200', 200, 0, -1, 1772442930, 1e300, []),
  fc.constantFrom<unknown>(
    '2026-03-02T09:15:30Z',
    '2026-03-02T09:15:30.5+01:00',
    '2026-02-30T00:00:00Z',
    '1772442930.5',
  ),
  fc.constantFrom<unknown>('0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', 1e-9),
  fc.constantFrom<unknown>('2026-03-02T24:00:00Z', '2026-03-02', '2016-12-31T23:59:60Z', '2030-01-01T00:00:00Z', ' 5 '),
  fc.constantFrom<unknown>('Bergen', ' Zu\u0308rich ', '\ud800', 'lea', 'authentication', ['web', 'authentication']),
  fc.string(),
  fc.array(fc.constantFrom('', 'lea', 'authentication'), { maxLength: 2 }),
);
const record = fc.dictionary(
  fc.constantFrom(
    ...['user', 'time', 'outcome', 'city', 'country', 'remote_user', 'remote_addr', 'time_iso8601', 'msec', 'status'],
    ...['user.id', 'user.name', '@timestamp', 'event.category', 'event.outcome', 'source.geo.city_name'],
  ),
  fieldValue,
);

describe('the recount reads records as the job does', () => {
  for (const mapping of builtInMappings.values()) {
    test(mapping.name, () => {
      const scanner = new KeyScanner(mapping);
      const normaliser = new Normaliser(mapping);
      const read = (bytes: Uint8Array, appendTimeUnixMs: number): unknown => {
        const result = scanner.locate(bytes, 0, bytes.length);
        if (result !== keyFound) return `${result === 1 ? 'skip' : 'dead'}:${scanner.reason}`;
        const key = Buffer.from(scanner.keyBytes.subarray(scanner.keyStart, scanner.keyEnd)).toString();
        const parsed = parseRecord(bytes, 0, bytes.length, defaultRecordLimits);
        assert.ok('record' in parsed);
        const login = normaliser.normalise(parsed.record, appendTimeUnixMs, key);
        if ('skip' in login) return `skip:${login.skip}`;
        if ('dead' in login) return `dead:${login.dead}`;
        const { user, timeUnixMs, flags, outcome, city, country } = login;
        return { user, time: timeUnixMs, future: flags.includes('future_time'), outcome, city, country };
      };
      fc.assert(
        fc.property(
          record,
          fc.boolean(),
          fc.constantFrom(arrival, Number.NaN, arrival * 1e3, arrival * 1e6),
          (fields, pass, appendTimeUnixMs) => {
            const event = pass ? { ...fields, event: { category: ['authentication'] } } : fields;
            const bytes = Buffer.from(JSON.stringify(event));
            assert.deepEqual(readRecord(mapping.name, raw(bytes, 0, appendTimeUnixMs)), read(bytes, appendTimeUnixMs));
          },
        ),
        { numRuns: 3000 },
      );
      for (const text of [
        '',
        '{',
        '[]',
        '"x"',
        '{"user":1e5}',
        '{"user":12345678901234567890}',
        `${'['.repeat(99)}${']'.repeat(99)}`,
      ]) {
        // Which comes first, depth or form, is told apart by the job only.
        const expected = text.startsWith('[[') ? 'dead:not_object' : read(Buffer.from(text), arrival);
        assert.deepEqual(readRecord(mapping.name, raw(text)), expected, text);
      }
    });
  }
});

describe('compare', () => {
  const line = (user: string, second: number): string =>
    JSON.stringify({ user, time: `2026-03-02T09:15:${10 + second}Z`, outcome: 'success', city: 'Oslo', country: 'NO' });
  const reference = recount('holdfast', [raw(line('a', 0), 0), raw(line('a', 1), 1), raw(line('b', 2), 2), raw('', 3)]);
  const exported = (user: string, events: number, times: string[]): ExportedUser => ({
    user,
    events,
    successes: events,
    failures: 0,
    locations: [{ city: 'Oslo', country: 'NO', count: events, successes: events, lastSeen: times[0] ?? null }],
    noLocation: 0,
    otherLocations: 0,
    recentCities: ['Oslo'],
    recentLogins: times,
  });
  const a = exported('a', 2, ['2026-03-02T09:15:11.000Z', '2026-03-02T09:15:10.000Z']);
  const b = exported('b', 1, ['2026-03-02T09:15:12.000Z']);

  test('equal', () => {
    assert.deepEqual(compare([a, b], reference), { lost: 0, duplicates: 0, differences: [] });
    assert.deepEqual([...reference.reasons], [['skip:empty_line', 1]]);
    assert.equal(reference.records, 4);
  });

  test('lost, duplicate, missing, strange, twice', () => {
    const short = compare([{ ...a, events: 1 }, b], reference);
    assert.deepEqual([short.lost, short.duplicates], [1, 0]);
    assert.ok(short.differences.some((text) => text.startsWith('a events: expected 2, got 1')));
    const more = compare([a, { ...b, events: 5 }], reference);
    assert.deepEqual([more.lost, more.duplicates], [0, 4]);
    assert.deepEqual(compare([a], reference).differences, ['b: missing, expected 1 events']);
    const strange = compare([a, b, exported('c', 3, [])], reference);
    assert.deepEqual([strange.duplicates, strange.differences], [3, ['c: exported, but no record is hers']]);
    const twice = compare([a, b, b], reference);
    assert.deepEqual([twice.duplicates, twice.differences], [1, ['b: exported more than once']]);
    const place = compare([a, { ...b, recentCities: ['Bergen'] }], reference);
    assert.deepEqual(place.differences, ['b recentCities: expected ["Oslo"], got ["Bergen"]']);
  });
});
