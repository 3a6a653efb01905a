import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatBytes, formatCount, formatMs, formatRate } from './figures.ts';
import { progressBar } from './progress-bar.ts';
import { Redraw } from './redraw.ts';
import { renderTable } from './table.ts';

test('figures as people read them; unknown is a dash, never 0', () => {
  assert.deepEqual([null, 0, 999, 1_000, '41870', 1_204_000].map(formatCount), [
    '-',
    '0',
    '999',
    '1,000',
    '41,870',
    '1,204,000',
  ]);
  // Of a state of anybody's job.
  assert.deepEqual([0.123456, -1234567.891011, 1.23456e-7, 1e21].map(formatCount), [
    '0.123456',
    '-1,234,567.891011',
    '1.23456e-7',
    '1e+21',
  ]);
  assert.deepEqual([null, 0, 999.4, 999.6, 16_100, 999_949, 2_340_000].map(formatRate), [
    '-',
    '0',
    '999',
    '1.0k',
    '16.1k',
    '999.9k',
    '2.3M',
  ]);
  assert.deepEqual([null, 0, 900, 4_100, 61_000, 3_600_000, 11_520_000, 273_600_000].map(formatAge), [
    '-',
    '0s',
    '0s',
    '4s',
    '1m1s',
    '1h',
    '3h12m',
    '3d4h',
  ]);
  assert.deepEqual([null, 512, 2_048, 641_728_512, '3221225472'].map(formatBytes), ['-', '512B', '2K', '612M', '3.0G']);
  assert.deepEqual([null, 6.07, 239.4].map(formatMs), ['-', '6.1ms', '239ms']);
});

test('a table is as wide as its cells', () => {
  assert.deepEqual(
    renderTable(
      ['A', 'BB', ''],
      [
        ['xxx', 'y', ''],
        ['z', 'é', 'end'],
      ],
    ),
    ['A    BB', 'xxx  y', 'z    é   end'],
  );
});

test('a bar stays within its bounds', () => {
  assert.equal(progressBar(0.5, 10), '[#####-----]  50%');
  assert.equal(progressBar(7, 4), '[####] 100%');
  assert.equal(progressBar(-1, 4), '[----]   0%');
});

test('a redrawn block goes up by the rows it drew, and cuts what would wrap', () => {
  let written = '';
  const screen = new Redraw((text) => (written += text), { columns: 21 });
  screen.draw(['one', 'x'.repeat(50)]);
  assert.equal(written, `one\x1b[K\n${'x'.repeat(19)}…\x1b[K\n`);
  written = '';
  screen.draw(['two']);
  assert.equal(written, '\x1b[2A\x1b[0Jtwo\x1b[K\n');
  written = '';
  screen.clear();
  screen.clear();
  assert.equal(written, '\x1b[1A\x1b[0J');
});

test('a redrawn block stays in its rows, whatever characters it has and however many lines', () => {
  let written = '';
  const size = { columns: 25, rows: 8 };
  const screen = new Redraw((text) => (written += text), size);
  screen.draw(['東京都'.repeat(10), 'é'.repeat(24)]);
  assert.equal(written, `${'東京都'.repeat(3)}東京…\x1b[K\n${'é'.repeat(24)}\x1b[K\n`);
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  written = '';
  screen.draw(lines);
  const shown = written.split('\x1b[K\n');
  assert.deepEqual(shown.slice(1), ['line 1', 'line 2', 'line 3', 'line 4', '… 14 more lines', 'line 19', '']);
  size.rows = 40;
  written = '';
  screen.draw(lines);
  assert.equal(written.slice(0, 4), '\x1b[7A', 'up by the rows that were drawn');
});
