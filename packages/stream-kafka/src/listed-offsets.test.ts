import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latest } from './apis/list-offsets.ts';
import { offsetsSince } from './listed-offsets.ts';

/** One partition whose records have these times; one more comes after each question. */
function growing(timesUnixMs: number[], nextUnixMs: number) {
  return async (timestampUnixMs: number): Promise<number[]> => {
    const found = timesUnixMs.findIndex((time) => time >= timestampUnixMs);
    const answer = timestampUnixMs === latest ? timesUnixMs.length : found;
    timesUnixMs.push(nextUnixMs);
    return [answer];
  };
}

test('a record that comes between two questions is not left out by a start at a time', async () => {
  assert.deepEqual(await offsetsSince(growing([1, 2], 10), 10), [2]);
  assert.deepEqual(await offsetsSince(growing([], 10), 10), [0]);
});

test('where no record is that late, reading begins at the end', async () => {
  assert.deepEqual(await offsetsSince(growing([1, 2], 3), 10), [2]);
  assert.deepEqual(await offsetsSince(growing([1, 12, 13], 3), 10), [1]);
});
