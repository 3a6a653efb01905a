import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOfReport } from './report-counts.ts';

test('the closing lines of a run are read, with and without colour', () => {
  const lines = ['✔ a (1ms)', 'ℹ tests 9', 'ℹ pass 3', 'ℹ fail 2', 'ℹ cancelled 1', 'ℹ skipped 1', 'ℹ todo 2', ''];
  assert.deepEqual(countsOfReport(lines.join('\n')), { passed: 3, failed: 3, skipped: 3 });
  const coloured = lines.map((line) => `\u001b[34m${line}\u001b[39m`).join('\n');
  assert.deepEqual(countsOfReport(coloured), { passed: 3, failed: 3, skipped: 3 });
});

test('the last report counts, and a run without its end has none', () => {
  assert.equal(countsOfReport('ℹ pass 1\nℹ fail 0\nℹ pass 4\nℹ fail 1\n')?.passed, 4);
  assert.equal(countsOfReport('✔ a (1ms)\n'), null);
  assert.equal(countsOfReport('a test printed: ℹ pass 7\n'), null);
});
