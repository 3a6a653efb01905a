import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, tryParseDuration } from './duration.ts';

test('durations as written', () => {
  const cases: [string, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

test('what is no duration is refused with examples', () => {
  for (const text of ['', '10', '10 s', '-1s', '30m1h', '1h1h', 's', '1w', '1e3s', '0.0001s', `${'9'.repeat(30)}d`]) {
    assert.equal(tryParseDuration(text), null, text);
    assert.throws(() => parseDuration(text), {
      message: `'${text}' is not a duration such as '30s', '10m', '1h30m' or '7d'`,
    });
  }
});
