import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { committedIndex, majorityIndex, majorityVote, type QuorumConf, quorumSize, voteResult } from './quorum.ts';

const numRuns = 50_000;

/** The largest index that more than half of each group have reached, by trying each. */
function slowCommittedIndex(groups: readonly (readonly number[])[]): number {
  let best = 0;
  for (const candidate of groups.flat()) {
    const held = groups.every((group) => group.filter((match) => match >= candidate).length * 2 > group.length);
    if (held && candidate > best) best = candidate;
  }
  return best;
}

/** Tries all ways in which the open votes could still come. */
function slowVoteResult(conf: QuorumConf, votes: ReadonlyMap<string, boolean>): string {
  const groups = conf.votersOutgoing.length === 0 ? [conf.voters] : [conf.voters, conf.votersOutgoing];
  const ids = [...new Set(groups.flat())];
  const open = ids.filter((id) => !votes.has(id));
  const outcomes = new Set<boolean>();
  for (let way = 0; way < 2 ** open.length; way++) {
    const granted = (id: string) => votes.get(id) ?? (way >> open.indexOf(id)) % 2 === 1;
    outcomes.add(groups.every((group) => group.filter(granted).length * 2 > group.length));
  }
  return outcomes.size === 2 ? 'pending' : outcomes.has(true) ? 'won' : 'lost';
}

/** Two groups of some of `n0`..`n7`, which may share voters; the second is often empty. */
const ids = Array.from({ length: 8 }, (_, i) => `n${i}`);
const conf: fc.Arbitrary<QuorumConf> = fc
  .tuple(fc.integer({ min: 1, max: 255 }), fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })))
  .map(([incoming, outgoing]) => {
    const of = (bits: number) => ids.filter((_, i) => (bits >> i) % 2 === 1);
    return { voters: of(incoming), votersOutgoing: of(outgoing) };
  });

test('committedIndex equals the slow twin, for one group and two', () => {
  const matches = fc.array(fc.nat({ max: 12 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(conf, matches, (c, match) => {
      const matchOf = (id: string) => match[ids.indexOf(id)]!;
      const groups = [c.voters, c.votersOutgoing].filter((group) => group.length > 0);
      assert.equal(committedIndex(c, matchOf), slowCommittedIndex(groups.map((group) => group.map(matchOf))));
    }),
    { numRuns },
  );
});

test('voteResult equals the slow twin, for one group and two, and strangers have no vote', () => {
  const given = fc.array(fc.constantFrom(true, false, undefined), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(conf, given, fc.boolean(), (c, answers, stranger) => {
      const votes = new Map<string, boolean>([['stranger', stranger]]);
      answers.forEach((vote, i) => {
        if (vote !== undefined) votes.set(ids[i]!, vote);
      });
      assert.equal(voteResult(c, votes), slowVoteResult(c, votes));
    }),
    { numRuns },
  );
});

test('majorityIndex leaves its argument alone, and does not mind the order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 9 }), (matchIndexes) => {
      const before = [...matchIndexes];
      assert.equal(majorityIndex(matchIndexes), majorityIndex([...matchIndexes].reverse()));
      assert.deepEqual(matchIndexes, before);
    }),
    { numRuns: 5_000 },
  );
});

test('two groups decide only what each of them decides', () => {
  fc.assert(
    fc.property(conf, fc.array(fc.nat({ max: 12 }), { minLength: 8, maxLength: 8 }), (c, match) => {
      const matchOf = (id: string) => match[ids.indexOf(id)]!;
      const both = committedIndex(c, matchOf);
      for (const group of [c.voters, c.votersOutgoing]) {
        if (group.length > 0) assert.ok(both <= majorityIndex(group.map(matchOf)));
      }
    }),
    { numRuns: 5_000 },
  );
});

test('two quorums share a voter, and half is none', () => {
  for (let voters = 1; voters < 20; voters++) {
    assert.ok(2 * quorumSize(voters) > voters);
    assert.ok(2 * (quorumSize(voters) - 1) <= voters);
  }
});

test('a quorum of no voters is refused', () => {
  assert.throws(() => majorityIndex([]), { name: 'InvariantError' });
  assert.throws(() => committedIndex({ voters: [], votersOutgoing: [] }, () => 1), { name: 'InvariantError' });
  assert.equal(majorityVote([], new Map()), 'lost');
});
