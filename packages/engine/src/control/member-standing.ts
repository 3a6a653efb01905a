import type { NodeId } from '@holdfast/model';
import { allMembers, type ConfState } from '@holdfast/raft';

/** `unknown`: it was never a member, or left so long ago that nobody remembers (`removedMax` of raft). */
export type MemberStanding = 'member' | 'removed' | 'unknown';

/**
 * Where a member stands in a configuration that a node has applied, hence in a committed one. Nobody is told `removed` by
 * mistake: a node that is behind, or hasn't joined yet, is in no such list, and who is in it is never taken in again, for
 * a member is one storage of one node.
 */
export function standingOf(conf: ConfState, member: string): MemberStanding {
  if (allMembers(conf).includes(member)) return 'member';
  return conf.removed.includes(member) ? 'removed' : 'unknown';
}

export function removedText(member: string): string {
  return `member ${member} was removed from the cluster`;
}

export function nameTakenText(node: NodeId): string {
  return `node ${node} is known with another data folder`;
}
