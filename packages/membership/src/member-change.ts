import type { NodeId } from '@holdfast/model';
import { isSameMeta } from './claim-order.ts';
import { isReachable, isSameStart, type Member, type MemberClaim } from './member.ts';

/**
 * What changed in a view.
 * - `joined`: unknown before, alive or suspect now
 * - `restarted`: alive or suspect now, as a new start (or with a new data folder) of a known id
 * - `recovered`: was suspect, dead or left, refuted it
 * - `suspected`, `died`, `left`: as the state says; `previous` is null when it was unknown
 * - `updated`: same state, other meta or address
 * - `pruned`: a tombstone was forgotten
 */
export type MemberChange =
  | {
      readonly kind: 'joined' | 'restarted' | 'recovered' | 'suspected' | 'died' | 'left' | 'updated';
      readonly member: Member;
      readonly previous: Member | null;
    }
  | { readonly kind: 'pruned'; readonly member: Member }
  /** The table is full of living members: the claim was not taken in. */
  | { readonly kind: 'refused'; readonly id: NodeId }
  /** Somebody runs under this node's own id and data folder with a higher start counter: this process is the old one. */
  | { readonly kind: 'superseded'; readonly by: MemberClaim }
  /** Two data folders claim one id, both alive. The view shows one of them; the lease table decides which may work. */
  | { readonly kind: 'conflict'; readonly member: Member; readonly other: MemberClaim };

/** How the step from one to the other is told; null when nobody needs to know (a bare raise of the incarnation). */
export function changeBetween(previous: Member | null, member: Member): MemberChange | null {
  switch (member.state) {
    case 'dead':
      return previous?.state === 'dead' ? null : { kind: 'died', member, previous };
    case 'left':
      return previous?.state === 'left' ? null : { kind: 'left', member, previous };
    case 'suspect':
      if (previous === null) return { kind: 'joined', member, previous };
      // Under load the first news of a new start may be that somebody suspects it.
      if (!isSameStart(previous, member)) return { kind: 'restarted', member, previous };
      if (previous.state !== 'suspect') return { kind: 'suspected', member, previous };
      break;
    case 'alive':
      if (previous === null) return { kind: 'joined', member, previous };
      if (!isSameStart(previous, member)) return { kind: 'restarted', member, previous };
      if (previous.state !== 'alive') return { kind: 'recovered', member, previous };
      break;
  }
  const same = previous.gossipAddress === member.gossipAddress && isSameMeta(previous.meta, member.meta);
  return same ? null : { kind: 'updated', member, previous };
}

/** Whether two claims under one id are of two data folders that both run. */
export function isConflict(a: MemberClaim, b: MemberClaim): boolean {
  return a.meta.uuid !== b.meta.uuid && isReachable(a) && isReachable(b);
}
