export const membershipErrorCodes = ['NODE_META_MALFORMED'] as const;

/** `NODE_META_MALFORMED`: bytes from outside are no node meta; the sender is broken, hostile, or of an unknown version. */
export type MembershipError = { readonly code: 'NODE_META_MALFORMED'; readonly reason: string };

export function nodeMetaMalformed(reason: string): MembershipError {
  return { code: 'NODE_META_MALFORMED', reason };
}
