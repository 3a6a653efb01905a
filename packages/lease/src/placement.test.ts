import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fillLevels, placeUnits, type ShardRoom } from './placement.ts';

const loads = fc.array(fc.nat(60), { minLength: 1, maxLength: 12 });
const rooms = (units: readonly number[]): ShardRoom[] =>
  units.map((n, i) => ({ session: 1 as never, shard: i as never, units: n }));

describe('filling levels', () => {
  it('gives what one by one to the least loaded gives', () => {
    fc.assert(
      fc.property(loads, fc.nat(300), (start, count) => {
        const slow = [...start];
        for (let i = 0; i < count; i++) slow[slow.indexOf(Math.min(...slow))]!++;
        const given = fillLevels(start, count);
        const total = given.reduce((sum, n) => sum + n, 0);
        assert.equal(total, count);
        assert.ok(given.every((n) => n >= 0));
        // Which of equals gets one more is open; the loads that come out are the same.
        const sorted = (list: number[]) => list.sort((a, b) => a - b);
        assert.deepEqual(sorted(start.map((n, i) => n + given[i]!)), sorted(slow));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('placement', () => {
  it('keeps the asker within its bound and places everything', () => {
    fc.assert(
      fc.property(loads, fc.nat(300), fc.nat(11), fc.nat(20), (start, count, n, slack) => {
        const asker = n % start.length;
        const counts = placeUnits(rooms(start), asker, count, { factor: 1.25, slack });
        assert.equal(
          counts.reduce((sum, c) => sum + c, 0),
          count,
        );
        const after = start.map((load, i) => load + counts[i]!);
        const mean = after.reduce((sum, load) => sum + load, 0) / after.length;
        const least = Math.min(...after);
        assert.ok(counts[asker] === 0 || after[asker]! <= mean * 1.25 + slack || after[asker]! <= least + 1);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves small counts where their data is', () => {
    assert.deepEqual(placeUnits(rooms([0, 0, 0]), 1, 100, { factor: 1.25, slack: 256 }), [0, 100, 0]);
  });

  it('spreads over everybody when nobody is near', () => {
    assert.deepEqual(placeUnits(rooms([10, 0, 5]), -1, 15, { factor: 1.25, slack: 256 }), [0, 10, 5]);
  });
});
