import { assert } from '@holdfast/model';

/** One group of voters, or two that decide together (joint consensus, 6); `votersOutgoing` is empty for one. */
export interface QuorumConf {
  readonly voters: readonly string[];
  readonly votersOutgoing: readonly string[];
}

/** The least number of voters that any two of which groups share a member. */
export function quorumSize(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/**
 * Highest index held by a majority of one group; 0 when nothing is known yet.
 * @param matchIndexes one per voter, any order, at least one
 * @throws InvariantError on an empty group
 * Source: Raft paper (extended), 5.3, 5.4.2; the caller checks the entry's term
 */
export function majorityIndex(matchIndexes: readonly number[]): number {
  assert(matchIndexes.length > 0, 'a quorum of no voters');
  const descending = [...matchIndexes].sort((a, b) => b - a);
  return descending[quorumSize(descending.length) - 1]!;
}

/**
 * Highest index that a configuration commits: held by a majority of each of its groups. Also the newest read round that
 * they answered.
 * Source: Raft paper (extended), 5.3, 6
 */
export function committedIndex(conf: QuorumConf, matchOf: (voter: string) => number): number {
  const incoming = majorityIndex(conf.voters.map(matchOf));
  if (conf.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(conf.votersOutgoing.map(matchOf)));
}

export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * Outcome of an election so far, within one group. Votes of others than `voters` don't count; no voters can't win.
 * Source: Raft paper (extended), 5.2
 */
export function majorityVote(voters: readonly string[], votes: ReadonlyMap<string, boolean>): VoteResult {
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

/** Outcome of an election so far: won with both groups, lost with either. Source: Raft paper (extended), 5.2, 6 */
export function voteResult(conf: QuorumConf, votes: ReadonlyMap<string, boolean>): VoteResult {
  const incoming = majorityVote(conf.voters, votes);
  if (conf.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(conf.votersOutgoing, votes);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}
