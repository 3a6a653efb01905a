import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIsoTime, parseIsoTime, timeMaxUnixMs, timeMinUnixMs } from './iso-time.ts';

test('formats and parses as the platform does, over the whole range', () => {
  fc.assert(
    fc.property(fc.integer({ min: timeMinUnixMs, max: timeMaxUnixMs }), (unixMs) => {
      const text = new Date(unixMs).toISOString();
      assert.equal(formatIsoTime(unixMs), text);
      assert.equal(parseIsoTime(text), unixMs);
    }),
    { numRuns: 5000 },
  );
});

test('an offset names the same moment', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -1439, max: 1439 }), (unixMs, minutes) => {
      const local = new Date(unixMs + minutes * 60_000).toISOString().slice(0, -1);
      const abs = Math.abs(minutes);
      const hh = String(Math.floor(abs / 60)).padStart(2, '0');
      const mm = String(abs % 60).padStart(2, '0');
      const sign = minutes < 0 ? '-' : '+';
      assert.equal(parseIsoTime(`${local}${sign}${hh}:${mm}`), unixMs);
      assert.equal(parseIsoTime(`${local}${sign}${hh}${mm}`), unixMs);
    }),
  );
});

const accepted: [string, string][] = [
  ['2026-03-02T09:15:30Z', '2026-03-02T09:15:30.000Z'],
  ['2026-03-02t09:15:30z', '2026-03-02T09:15:30.000Z'],
  ['2026-03-02 09:15:30.5Z', '2026-03-02T09:15:30.500Z'],
  ['2026-03-02T09:15:30.123999999Z', '2026-03-02T09:15:30.123Z'],
  ['2024-02-29T00:00:00+01:00', '2024-02-28T23:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
];
for (const [text, same] of accepted) {
  test(`accepts ${text}`, () => assert.equal(parseIsoTime(text), Date.parse(same)));
}

const refused = [
  '',
  '2026',
  '2026-03-02',
  '2026-03-02T09:15Z',
  '2026-03-02T09:15:30',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+1:00',
  '2026-01-01T00:00:00Zx',
  '2026/01/01T00:00:00Z',
  '+026-01-01T00:00:00Z',
  'Mon, 02 Mar 2026 09:15:30 GMT',
];
for (const text of refused) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.ok(Number.isNaN(parseIsoTime(text))));
}

test('a time without zone is UTC only where the mapping says so', () => {
  assert.equal(parseIsoTime('2026-03-02T09:15:30', true), Date.parse('2026-03-02T09:15:30Z'));
});
