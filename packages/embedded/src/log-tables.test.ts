import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { decodeCommit, encodeCommit } from './log-tables.ts';

const partition = { topicId: topicId('t'), partition: 0 };

test('a commit of a version that stored a number vouches for no generation, and keeps its fence', () => {
  const stored = Buffer.alloc(24);
  for (const [i, value] of [1_000_000, 1, 2 ** 40].entries()) stored.writeDoubleLE(value, 8 * i);
  assert.deepEqual(decodeCommit(stored), { offset: 1_000_000, generationId: null, fence: 2 ** 40 });
});

test('what that version finds in a commit of today is no generation, and the fence', () => {
  const generationId = '5f8cd1f8-3b90-4c9a-9a6e-0a4f0f1f2e3d';
  const stored = encodeCommit({ partition, offset: 2 ** 50, generationId, fence: 2 ** 40 });
  assert.deepEqual(
    [0, 8, 16].map((at) => stored.readDoubleLE(at)),
    [2 ** 50, 0, 2 ** 40],
  );
  assert.deepEqual(decodeCommit(stored), { offset: 2 ** 50, generationId, fence: 2 ** 40 });
});
