import { type NodeId, nodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';

/*
 * Raft knows members by the node's id and the identity of its Raft storage: `n1/4f0c81aa`. A node whose storage was lost
 * is another member, so nothing that the old one held, voted or acknowledged is asked of it, and messages of the one are
 * not taken for the other's. Everywhere else nodes go by their node id.
 */
const separator = '/';
const identityLength = 8;

export function memberIdOf(node: NodeId, identity: string): string {
  return `${node}${separator}${identity.slice(0, identityLength)}`;
}

export function nodeOfMember(member: string): NodeId {
  const at = member.indexOf(separator);
  return nodeId(at < 0 ? member : member.slice(0, at));
}

export function nodeOrNull(member: string | null): NodeId | null {
  return member === null ? null : nodeOfMember(member);
}

/** By whom they go to; in the order of sending. */
export function messagesByMember(messages: readonly RaftMessage[]): ReadonlyMap<string, readonly RaftMessage[]> {
  const byMember = new Map<string, RaftMessage[]>();
  for (const message of messages) {
    const list = byMember.get(message.to);
    if (list === undefined) byMember.set(message.to, [message]);
    else list.push(message);
  }
  return byMember;
}
