import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { committedIndex, quorumSize, voteResult } from './quorum.ts';

const numRuns = 20_000;

/** The largest index that more than half of the voters have reached, by trying each. */
function slowCommittedIndex(matchIndexes: readonly number[]): number {
  let best = 0;
  for (const candidate of matchIndexes) {
    const holders = matchIndexes.filter((match) => match >= candidate).length;
    if (holders * 2 > matchIndexes.length && candidate > best) best = candidate;
  }
  return best;
}

/** Tries all ways in which the open votes could still come. */
function slowVoteResult(votes: readonly (boolean | undefined)[]): string {
  const outcomes = new Set<boolean>();
  const tryFrom = (at: number, granted: number) => {
    if (at === votes.length) outcomes.add(granted * 2 > votes.length);
    else for (const vote of [true, false]) if ((votes[at] ?? vote) === vote) tryFrom(at + 1, granted + Number(vote));
  };
  tryFrom(0, 0);
  return outcomes.size === 2 ? 'pending' : outcomes.has(true) ? 'won' : 'lost';
}

test('committedIndex equals the slow twin', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 9 }), (matchIndexes) => {
      const before = [...matchIndexes];
      assert.equal(committedIndex(matchIndexes), slowCommittedIndex(matchIndexes));
      assert.deepEqual(matchIndexes, before);
    }),
    { numRuns },
  );
});

test('voteResult equals the slow twin, and strangers have no vote', () => {
  const votes = fc.array(fc.option(fc.boolean(), { nil: undefined }), { maxLength: 7 });
  fc.assert(
    fc.property(votes, fc.boolean(), (given, stranger) => {
      const voters = given.map((_, i) => `n${i}`);
      const map = new Map<string, boolean>([['stranger', stranger]]);
      given.forEach((vote, i) => {
        if (vote !== undefined) map.set(`n${i}`, vote);
      });
      assert.equal(voteResult(map, voters), slowVoteResult(given));
    }),
    { numRuns },
  );
});

test('two quorums share a voter, and half is none', () => {
  for (let voters = 1; voters < 20; voters++) {
    assert.ok(2 * quorumSize(voters) > voters);
    assert.ok(2 * (quorumSize(voters) - 1) <= voters);
  }
});

test('a quorum of no voters is refused', () => {
  assert.throws(() => committedIndex([]), { name: 'InvariantError' });
  assert.equal(voteResult(new Map(), []), 'lost');
});
