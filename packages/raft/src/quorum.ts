import { assert } from '@holdfast/model';

/** The least number of voters that any two of which groups share a member. */
export function quorumSize(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/**
 * Highest index held by a majority; 0 when nothing is known yet. Also the newest read round a majority answered.
 * @param matchIndexes one per voter, any order, at least one
 * @throws InvariantError on an empty group
 * Source: Raft paper (extended), 5.3, 5.4.2; the caller checks the entry's term
 */
export function committedIndex(matchIndexes: readonly number[]): number {
  assert(matchIndexes.length > 0, 'a quorum of no voters');
  const descending = [...matchIndexes].sort((a, b) => b - a);
  return descending[quorumSize(descending.length) - 1]!;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * Outcome of an election so far. Votes of others than `voters` don't count; no voters can't win.
 * Source: Raft paper (extended), 5.2
 */
export function voteResult(votes: ReadonlyMap<string, boolean>, voters: readonly string[]): VoteResult {
  const needed = quorumSize(voters.length);
  let granted = 0;
  let open = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === undefined) open++;
    else if (vote) granted++;
  }
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}
