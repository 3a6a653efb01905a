import { assert } from '@holdfast/model';
import type { RaftCore } from './core.ts';
import { answerVote, campaign, onPreVoteReply, onVoteReply } from './election.ts';
import { onAppend, onCommit, onHeartbeat, onReadIndexReply, onSnapshot } from './follower.ts';
import { onPropose, onProposeReply } from './forwarding.ts';
import { onAppendReply, onHeartbeatReply, onSnapshotProgress, onSnapshotReply } from './leader.ts';
import type { RaftMessage } from './messages.ts';
import { onReadIndex } from './reads.ts';

/** Takes a message: first the rules about terms, which hold for all roles (5.1), then what it says. */
export function step(core: RaftCore, m: RaftMessage): void {
  if (m.to !== core.id || m.from === core.id) return;
  if (m.term > core.term && !meetHigherTerm(core, m)) return;
  if (m.term < core.term) {
    answerLowerTerm(core, m);
    return;
  }
  switch (m.type) {
    case 'append':
      followLeader(core, m.from);
      onAppend(core, m);
      break;
    case 'heartbeat':
      followLeader(core, m.from);
      onHeartbeat(core, m);
      break;
    case 'commit':
      followLeader(core, m.from);
      onCommit(core, m);
      break;
    case 'snapshot':
      followLeader(core, m.from);
      onSnapshot(core, m);
      break;
    case 'appendReply':
      onAppendReply(core, m);
      break;
    case 'heartbeatReply':
      onHeartbeatReply(core, m);
      break;
    case 'snapshotReply':
      onSnapshotReply(core, m);
      break;
    case 'snapshotProgress':
      onSnapshotProgress(core, m);
      break;
    case 'propose':
      onPropose(core, m);
      break;
    case 'proposeReply':
      onProposeReply(core, m);
      break;
    case 'vote':
    case 'preVote':
      answerVote(core, m);
      break;
    case 'voteReply':
      onVoteReply(core, m);
      break;
    case 'preVoteReply':
      onPreVoteReply(core, m);
      break;
    case 'timeoutNow':
      campaign(core, true);
      break;
    case 'readIndex':
      onReadIndex(core, m);
      break;
    case 'readIndexReply':
      onReadIndexReply(core, m);
      break;
  }
}

/** Goes to the higher term if the message justifies that. False if it is to be ignored. */
function meetHigherTerm(core: RaftCore, m: RaftMessage): boolean {
  switch (m.type) {
    case 'vote':
    case 'preVote': {
      // While a leader is alive nobody is helped against it (6; thesis 4.2.3): its followers would only lose time.
      const { checkQuorum, electionTimeoutTicks } = core.options;
      const isLeaderAlive = checkQuorum && core.leader !== null && core.electionElapsed < electionTimeoutTicks;
      if (isLeaderAlive && !(m.type === 'vote' && m.force)) return false;
      // The term of a pre-vote is only one that the candidate thinks of.
      if (m.type === 'vote') core.becomeFollower(m.term, null);
      return true;
    }
    case 'preVoteReply':
      if (!m.granted) core.becomeFollower(m.term, null);
      return true;
    case 'append':
    case 'heartbeat':
    case 'commit':
    case 'snapshot':
      core.becomeFollower(m.term, m.from);
      return true;
    default:
      core.becomeFollower(m.term, null);
      return true;
  }
}

/**
 * A sender that is behind. A leader is told, since with pre-vote and sticky leaders nothing else may ever tell it; and a
 * pre-candidate, so that it doesn't ask in the old term for ever. The rest is out of date.
 */
function answerLowerTerm(core: RaftCore, m: RaftMessage): void {
  const reply = { from: core.id, to: m.from, term: core.term };
  if (m.type === 'append' || m.type === 'heartbeat' || m.type === 'snapshot') {
    core.send({ type: 'appendReply', ...reply, reject: true, index: 0, hintIndex: 0, hintTerm: 0 });
  } else if (m.type === 'preVote') {
    core.send({ type: 'preVoteReply', ...reply, granted: false, ...core.commitHint });
  }
}

/** Only a leader of this term sends appends, heartbeats, commits and snapshots. */
function followLeader(core: RaftCore, leader: string): void {
  assert(core.role !== 'leader', `${leader} and ${core.id} both lead in term ${core.term}`);
  if (core.role !== 'follower') core.becomeFollower(core.term, leader);
  assert(core.leader === null || core.leader === leader, `${leader} and ${core.leader} both lead in term ${core.term}`);
  core.leader = leader;
  core.electionElapsed = 0;
}
