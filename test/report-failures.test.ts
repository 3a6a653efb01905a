import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failuresOf } from './report-failures.ts';

test('of node:test what its end names as failed, and where it is', () => {
  const lines = [
    '✖ a (1ms)',
    '✔ b (1ms)',
    'ℹ fail 1',
    '',
    '✖ failing tests:',
    '',
    'test at a.test.ts:3:1',
    '✖ a (1ms)',
  ];
  const output = [...lines, '  AssertionError [ERR_ASSERTION]: no', ''].join('\n');
  assert.deepEqual(failuresOf(output), ['test at a.test.ts:3:1', '✖ a (1ms)']);
  assert.deepEqual(failuresOf(`\u001b[31m${output}\u001b[39m`), ['test at a.test.ts:3:1', '✖ a (1ms)']);
});

test('of a simulation its seeds, and how to run them again', () => {
  const named = ['seed 17: I5: lost', '  again: npm run sim -- --seed 17 --trace'];
  assert.deepEqual(failuresOf(['control: 3', ...named, '1 passed, 1 failed'].join('\n')), named);
});

test('of anything else the last lines, and never many', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  assert.deepEqual(failuresOf(lines.join('\n')), lines.slice(-12));
  assert.equal(failuresOf(lines.map((line) => `✖ ${line}`).join('\n')).length, 12);
});
