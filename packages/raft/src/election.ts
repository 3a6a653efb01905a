import type { RaftCore } from './core.ts';
import { lead } from './leader.ts';
import type { PreVote, PreVoteReply, Vote, VoteReply } from './messages.ts';
import { voteResult } from './quorum.ts';

/** The election timeout of followers and candidates (5.2). */
export function tickElection(core: RaftCore): void {
  core.electionElapsed++;
  if (core.electionElapsed < core.randomizedTimeoutTicks) return;
  core.electionElapsed = 0;
  campaign(core, false);
}

/** Stands for election if that is possible; `byTransfer` at the old leader's wish, so at once and without pre-vote. */
export function campaign(core: RaftCore, byTransfer: boolean): void {
  if (core.role === 'leader' || !core.isPromotable) return;
  if (core.options.preVote && !byTransfer) askPreVotes(core);
  else standForElection(core, byTransfer);
}

function askPreVotes(core: RaftCore): void {
  core.becomePreCandidate();
  core.votes.set(core.id, true);
  if (voteResult(core.votes, core.voters) === 'won') {
    standForElection(core, false);
    return;
  }
  const { lastIndex, lastTerm } = core.log;
  for (const to of core.voters) {
    if (to !== core.id) core.send({ type: 'preVote', from: core.id, to, term: core.term + 1, lastIndex, lastTerm });
  }
}

function standForElection(core: RaftCore, force: boolean): void {
  core.becomeCandidate();
  const { lastIndex, lastTerm } = core.log;
  for (const to of core.voters) {
    if (to !== core.id) core.send({ type: 'vote', from: core.id, to, term: core.term, lastIndex, lastTerm, force });
  }
}

/** Counts a candidate's vote for itself as soon as it is on disk: a crash could otherwise give it away twice. */
export function countOwnVote(core: RaftCore): void {
  if (core.role !== 'candidate' || core.votes.has(core.id)) return;
  if (core.persisted.term !== core.term || core.persisted.vote !== core.id) return;
  core.votes.set(core.id, true);
  finishElection(core);
}

/** A request for a vote or pre-vote; its term is at least ours unless it is a pre-vote (5.2, 5.4.1). */
export function answerVote(core: RaftCore, m: Vote | PreVote): void {
  const mayVote =
    core.vote === m.from ||
    (core.vote === null && core.leader === null) ||
    (m.type === 'preVote' && m.term > core.term);
  const granted = mayVote && core.log.isUpToDate(m.lastIndex, m.lastTerm);
  // A granted pre-vote names the term it is for; a refusal tells the candidate of ours.
  const reply = { from: core.id, to: m.from, term: granted ? m.term : core.term, granted };
  if (m.type === 'preVote') {
    core.send({ type: 'preVoteReply', ...reply });
    return;
  }
  core.send({ type: 'voteReply', ...reply });
  if (granted) {
    core.electionElapsed = 0;
    core.vote = m.from;
  }
}

export function onVoteReply(core: RaftCore, m: VoteReply): void {
  if (core.role !== 'candidate' || core.votes.has(m.from)) return;
  core.votes.set(m.from, m.granted);
  finishElection(core);
}

export function onPreVoteReply(core: RaftCore, m: PreVoteReply): void {
  if (core.role !== 'preCandidate' || core.votes.has(m.from)) return;
  // An answer to an earlier question of ours, in an earlier term.
  if (m.granted && m.term !== core.term + 1) return;
  core.votes.set(m.from, m.granted);
  const result = voteResult(core.votes, core.voters);
  if (result === 'won') standForElection(core, false);
  else if (result === 'lost') core.becomeFollower(core.term, null);
}

function finishElection(core: RaftCore): void {
  const result = voteResult(core.votes, core.voters);
  // The own vote has to be there as well: without it on disk this node could still vote for another.
  if (result === 'won' && core.votes.has(core.id)) lead(core);
  else if (result === 'lost') core.becomeFollower(core.term, null);
}
