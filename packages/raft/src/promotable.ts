import type { PeerStatus } from './types.ts';

/**
 * May a learner become a voter? Only when it is heard from, takes entries, and has nearly all of the log: a voter that
 * is far behind would let commits wait for it as soon as another one fails (thesis, 4.2.1).
 * @param peer what the leader knows of it; undefined for a node that isn't a member
 */
export function promotable(
  peer: Pick<PeerStatus, 'match' | 'state' | 'recentActive'> | undefined,
  lastIndex: number,
  lagEntriesMax: number,
): boolean {
  return peer?.recentActive === true && peer.state === 'replicate' && peer.match + lagEntriesMax >= lastIndex;
}
