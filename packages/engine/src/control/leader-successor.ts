import type { LeaseTable } from '@holdfast/lease';
import type { NodeId } from '@holdfast/model';
import { promotable, type RaftStatus } from '@holdfast/raft';
import { nodeOfMember } from './member-id.ts';

/** A voter that is further behind would have the cluster wait for it. */
const lagEntriesMax = 1_000;

/**
 * The voter to hand leadership to: heard from lately, with nearly all of the log, and neither draining nor stopping; the
 * furthest first. Null: there is none.
 * @param needsSession one that has a session
 */
export function fitSuccessor(
  status: RaftStatus,
  table: Pick<LeaseTable, 'node' | 'session'>,
  needsSession = false,
): NodeId | null {
  return furthest(status, (node, peer) => {
    const known = table.node(node);
    const isGoing = known?.draining === true || (known && table.session(known.session)?.closing) === true;
    if (needsSession && (known === undefined || known.session === 0)) return false;
    return !isGoing && promotable(peer, status.lastIndex, lagEntriesMax);
  });
}

/** The fit voter after this one, by name, and around: in turn, all that are fit lead. */
export function nextSuccessor(status: RaftStatus, table: Pick<LeaseTable, 'node' | 'session'>): NodeId | null {
  const peers = [...status.progress].sort(([a], [b]) => (a < b ? -1 : 1));
  const isAfter = ([id]: readonly [string, unknown]): boolean => id > status.id;
  for (const peer of [...peers.filter(isAfter), ...peers.filter((peer) => !isAfter(peer))]) {
    const next = fitSuccessor({ ...status, progress: new Map([peer]) }, table);
    if (next !== null) return next;
  }
  return null;
}

/** Who leads when this node goes all the same: a fit voter, else any that was heard from lately. */
export function lastingSuccessor(status: RaftStatus, table: Pick<LeaseTable, 'node' | 'session'>): NodeId | null {
  return fitSuccessor(status, table) ?? furthest(status, (_, { recentActive }) => recentActive);
}

type Peer = RaftStatus['progress'] extends ReadonlyMap<string, infer P> ? P : never;

function furthest({ progress, conf }: RaftStatus, suits: (node: NodeId, peer: Peer) => boolean): NodeId | null {
  const voters = [...progress].filter(([id, peer]) => conf.voters.includes(id) && suits(nodeOfMember(id), peer));
  voters.sort(([, a], [, b]) => b.match - a.match);
  const [best] = voters;
  return best === undefined ? null : nodeOfMember(best[0]);
}
