import type { Member } from '@holdfast/membership';

/**
 * Whether gossip can't reach a node that has a session: nothing is moved for balance then. A dead one may be back before
 * its session ends, and keeps what it holds until then; one without a session holds nothing.
 */
export function isHolderUnreachable(
  members: readonly Pick<Member, 'id' | 'state'>[],
  sessions: readonly { readonly nodeId: string }[],
): boolean {
  const holders = new Set<string>(sessions.map(({ nodeId }) => nodeId));
  return members.some(({ id, state }) => (state === 'suspect' || state === 'dead') && holders.has(id));
}
