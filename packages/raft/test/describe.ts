import { decodeUtf8 } from '@holdfast/model';
import { type ConfState, decodeConfEntry, type RaftEntry, type RaftMessage, type RaftStatus } from '../src/index.ts';

/** Raft's data as short text, for transcripts. */

export function describeConf({ voters, votersOutgoing, learners, learnersNext }: ConfState): string {
  const parts = [`voters ${voters.join(' ') || '-'}`];
  if (votersOutgoing.length > 0) parts.push(`outgoing ${votersOutgoing.join(' ')}`);
  if (learners.length > 0) parts.push(`learners ${learners.join(' ')}`);
  if (learnersNext.length > 0) parts.push(`then learners ${learnersNext.join(' ')}`);
  return parts.join(', ');
}

/** `2/5 "text"`: term, index, content. */
export function describeEntry({ term, index, kind, data }: RaftEntry): string {
  if (kind === 'conf') return `${term}/${index} [${describeConf(decodeConfEntry(data))}]`;
  return `${term}/${index} ${data.length === 0 ? 'no-op' : JSON.stringify(decodeUtf8(data))}`;
}

export function describeMessage(m: RaftMessage): string {
  return `${m.from} -> ${m.to}: ${m.type} term ${m.term}${describeBody(m)}`;
}

function describeBody(m: RaftMessage): string {
  switch (m.type) {
    case 'append': {
      const entries = m.entries.map((entry) => `, ${describeEntry(entry)}`).join('');
      return `, after ${m.prevTerm}/${m.prevIndex}${entries}, commit ${m.commit}`;
    }
    case 'appendReply':
      return m.reject ? `, refused after ${m.index}, try ${m.hintTerm}/${m.hintIndex}` : `, holds up to ${m.index}`;
    case 'heartbeat':
      return `, commit ${m.commit}${m.readRound > 0 ? `, round ${m.readRound}` : ''}`;
    case 'commit':
      return `, through ${m.commitTerm}/${m.commit}`;
    case 'heartbeatReply':
      return m.readRound > 0 ? `, round ${m.readRound}` : '';
    case 'vote':
      return `, last ${m.lastTerm}/${m.lastIndex}${m.force ? ', by transfer' : ''}`;
    case 'preVote':
      return `, last ${m.lastTerm}/${m.lastIndex}`;
    case 'voteReply':
    case 'preVoteReply':
      return m.granted ? ', yes' : ', no';
    case 'snapshot': {
      const end = m.offset + m.data.length;
      return `, state at ${m.snapshotTerm}/${m.index}, bytes ${m.offset} to ${end} of ${m.bytes}`;
    }
    case 'snapshotProgress':
      return `, of ${m.index} has ${m.offset} bytes`;
    case 'snapshotReply':
      return `, holds up to ${m.index}`;
    case 'timeoutNow':
      return '';
    case 'readIndex':
      return '';
    case 'readIndexReply':
      return `, index ${m.index}`;
    case 'propose':
      return `, ${JSON.stringify(decodeUtf8(m.data))}`;
    case 'proposeReply':
      return m.index === 0 ? ', refused' : `, at ${m.entryTerm}/${m.index}`;
  }
}

export function describeStatus(status: RaftStatus): string {
  const { id, role, term, leader, commit, lastIndex, conf, transferee } = status;
  const lead = role === 'leader' ? '' : ` of ${leader ?? 'nobody'}`;
  const to = transferee === null ? '' : `, hands over to ${transferee}`;
  return `${id}: ${role}${lead}, term ${term}, commit ${commit} of ${lastIndex}, ${describeConf(conf)}${to}`;
}

export function describeProgress(status: RaftStatus): string[] {
  return [...status.progress].map(([id, { match, next, state, recentActive, role, snapshot }]) => {
    const activity = recentActive ? '' : ', silent';
    const part = snapshot === null ? '' : `, ${snapshot.ackedBytes} of ${snapshot.bytes} bytes of ${snapshot.index}`;
    return `${id}: ${role}, ${state}, match ${match}, next ${next}${part}${activity}`;
  });
}
