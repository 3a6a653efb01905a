import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { accusersMax, suspicionTimeoutMs, uniteAccusers } from './suspicion.ts';

const ids = (text: string) => [...text].map(nodeId);

it('shortens the time to refute with each confirmation, and only as far as others could confirm', () => {
  const table: readonly [accusers: number, peers: number, expectedMs: number][] = [
    // Nobody else to ask.
    [1, 1, 4000],
    // One other: it confirms or not.
    [1, 2, 4000],
    [2, 2, 3000],
    [1, 5, 4000],
    [2, 5, 3369],
    [3, 5, 3000],
    [3, 99, 6000],
  ];
  for (const [accusers, peers, expectedMs] of table) {
    assert.equal(Math.round(suspicionTimeoutMs(accusers, peers, 3000, 4000)), expectedMs, `${accusers} of ${peers}`);
  }
});

it('never takes less than the least time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.nat({ max: 1000 }), (accusers, peers) => {
      const timeoutMs = suspicionTimeoutMs(accusers, peers, 3000, 4000);
      assert.ok(timeoutMs >= 3000 && timeoutMs <= 4000 * 3.01, `${timeoutMs}`);
    }),
  );
});

it('unites accusers in whatever order they are heard of, and has no more than it needs', () => {
  const some = fc.subarray(ids('abc'));
  fc.assert(
    fc.property(some, some, some, (a, b, c) => {
      assert.deepEqual(uniteAccusers(a, b), uniteAccusers(b, a));
      assert.deepEqual(uniteAccusers(uniteAccusers(a, b), c), uniteAccusers(a, uniteAccusers(b, c)));
      assert.equal(uniteAccusers(uniteAccusers(a, b), b).length, uniteAccusers(a, b).length);
    }),
  );
  assert.equal(uniteAccusers(ids('abc'), ids('de')).length, accusersMax);
  const known = ids('ab');
  assert.equal(uniteAccusers(known, ids('a')), known, 'nothing new');
});
