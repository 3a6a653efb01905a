import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SortedRuns } from './sorted-runs.ts';

test('what comes out is what came in, in order, over however many runs', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 7 }), (items, runLength) => {
      const runs = new SortedRuns<number>((a, b) => a - b, runLength);
      for (const item of items) runs.add(item);
      assert.deepEqual(
        [...runs.inOrder()],
        items.toSorted((a, b) => a - b),
      );
    }),
  );
});
