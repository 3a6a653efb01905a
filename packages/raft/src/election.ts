import { allVoters } from './conf.ts';
import type { RaftCore } from './core.ts';
import { lead } from './leader.ts';
import type { CommitHint, PreVote, PreVoteReply, Vote, VoteReply } from './messages.ts';
import { voteResult } from './quorum.ts';

/** The election timeout of followers and candidates (5.2). */
export function tickElection(core: RaftCore): void {
  core.electionElapsed++;
  if (core.electionElapsed < core.randomizedTimeoutTicks) return;
  if (core.role === 'follower' && !core.isPromotable) {
    // It can't stand itself, but a leader that has been silent for so long doesn't keep it from helping others.
    core.leader = null;
    return;
  }
  core.electionElapsed = 0;
  campaign(core, false);
}

/** Stands for election if that is possible; `byTransfer` at the old leader's wish, so at once and without pre-vote. */
export function campaign(core: RaftCore, byTransfer: boolean): void {
  if (core.role === 'leader') return;
  core.isCampaignOwed = byTransfer && !core.isPromotable;
  if (!core.isPromotable) return;
  if (core.options.preVote && !byTransfer) askPreVotes(core);
  else standForElection(core, byTransfer);
}

/** Entries were applied: what the leader has asked for may be possible now. */
export function campaignIfOwed(core: RaftCore): void {
  if (core.isCampaignOwed && core.isPromotable) campaign(core, true);
}

function askPreVotes(core: RaftCore): void {
  core.becomePreCandidate();
  core.votes.set(core.id, true);
  if (voteResult(core.conf, core.votes) === 'won') {
    standForElection(core, false);
    return;
  }
  const { lastIndex, lastTerm } = core.log;
  for (const to of allVoters(core.conf)) {
    if (to !== core.id) core.send({ type: 'preVote', from: core.id, to, term: core.term + 1, lastIndex, lastTerm });
  }
}

function standForElection(core: RaftCore, force: boolean): void {
  core.becomeCandidate();
  const { lastIndex, lastTerm } = core.log;
  for (const to of allVoters(core.conf)) {
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
  const reply = { from: core.id, to: m.from, term: granted ? m.term : core.term, granted, ...core.commitHint };
  if (m.type === 'preVote') {
    core.send({ type: 'preVoteReply', ...reply });
    // Two that ask at the same time would each win, and split the votes: of the two the greater id goes on.
    const isRival = core.role === 'preCandidate' && m.term === core.term + 1 && m.from > core.id;
    if (granted && isRival) core.becomeFollower(core.term, null);
    return;
  }
  core.send({ type: 'voteReply', ...reply });
  if (granted) {
    core.electionElapsed = 0;
    core.vote = m.from;
  }
}

export function onVoteReply(core: RaftCore, m: VoteReply): void {
  learnCommit(core, m);
  if (core.role !== 'candidate' || core.votes.has(m.from)) return;
  core.votes.set(m.from, m.granted);
  finishElection(core);
}

export function onPreVoteReply(core: RaftCore, m: PreVoteReply): void {
  learnCommit(core, m);
  if (core.role !== 'preCandidate' || core.votes.has(m.from)) return;
  // An answer to an earlier question of ours, in an earlier term.
  if (m.granted && m.term !== core.term + 1) return;
  core.votes.set(m.from, m.granted);
  const result = voteResult(core.conf, core.votes);
  if (result === 'won') standForElection(core, false);
  else if (result === 'lost') core.becomeFollower(core.term, null);
}

/** What another knows as committed is so here, if it is the same entry. */
function learnCommit(core: RaftCore, { commit, commitTerm }: CommitHint): void {
  if (core.role === 'leader' || !core.log.matches(commit, commitTerm) || !core.log.commitTo(commit)) return;
  // A configuration among them ends this candidacy: it was asked for in another.
  if (core.role !== 'follower' && !core.isPromotable) core.becomeFollower(core.term, null);
}

function finishElection(core: RaftCore): void {
  const result = voteResult(core.conf, core.votes);
  // The own vote has to be there as well: without it on disk this node could still vote for another.
  if (result === 'won' && core.votes.has(core.id)) lead(core);
  else if (result === 'lost') core.becomeFollower(core.term, null);
}
