import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitAt, firstSeedOf } from './fresh-seeds.ts';

test('a commit has its own seeds, the same each time', () => {
  const commit = '00000ff'.padEnd(40, '1');
  assert.equal(firstSeedOf(commit), 256);
  assert.equal(firstSeedOf(commit), firstSeedOf(commit));
  assert.notEqual(firstSeedOf(commit), firstSeedOf('00000fe'.padEnd(40, '1')));
  assert.equal(firstSeedOf('f'.repeat(40)), 2 ** 28);
});

test('without git there is no commit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-seeds-'));
  try {
    assert.equal(commitAt(folder), null);
    assert.equal(commitAt(join(folder, 'missing')), null);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
