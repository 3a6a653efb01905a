import { assert, type NodeId } from '@holdfast/model';
import { compareClaims } from './claim-order.ts';
import { isReachable, isSameStart, type Member, type MemberClaim } from './member.ts';
import { changeBetween, isConflict, type MemberChange } from './member-change.ts';

export interface MembershipLimits {
  /** Members and tombstones together, self included. */
  readonly membersMax: number;
  /** How long a dead or left member is remembered, so that late gossip can't bring it back. */
  readonly tombstoneKeepMs: number;
}

/** Who is there, as one node sees it. Never changed in place. */
export interface MembershipView {
  readonly selfId: NodeId;
  readonly limits: MembershipLimits;
  readonly members: ReadonlyMap<NodeId, Member>;
}

/**
 * - `self`: the node says something about itself. It is the only event that touches its own entry.
 * - `claim`: something heard or found out about a member.
 * - `tick`: time went by; tombstones older than `tombstoneKeepMs` are forgotten.
 */
export type MembershipEvent =
  | { readonly type: 'self'; readonly claim: MemberClaim }
  | { readonly type: 'claim'; readonly claim: MemberClaim }
  | { readonly type: 'tick' };

export interface MembershipStep {
  readonly view: MembershipView;
  readonly changes: readonly MemberChange[];
}

export function emptyView(selfId: NodeId, limits: MembershipLimits): MembershipView {
  assert(Number.isInteger(limits.membersMax) && limits.membersMax >= 1, `membersMax ${limits.membersMax}`);
  assert(limits.tombstoneKeepMs >= 0, `tombstoneKeepMs ${limits.tombstoneKeepMs}`);
  return { selfId, limits, members: new Map() };
}

/**
 * The next view and what changed. Merging claims is commutative, associative and idempotent as long as the table isn't
 * full: of all claims about a member the greatest (`compareClaims`) is kept, in whatever order they came.
 * @param nowMs monotonic
 */
export function stepMembership(view: MembershipView, event: MembershipEvent, nowMs: number): MembershipStep {
  switch (event.type) {
    case 'self':
      return stepSelf(view, event.claim, nowMs);
    case 'claim':
      return event.claim.id === view.selfId ? stepClaimAboutSelf(view, event.claim) : merge(view, event.claim, nowMs);
    case 'tick':
      return prune(view, nowMs);
  }
}

/** What one view knows, told to another: as if each of its members had been heard of. */
export function mergeViews(view: MembershipView, other: MembershipView, nowMs: number): MembershipStep {
  const changes: MemberChange[] = [];
  for (const member of other.members.values()) {
    const step = stepMembership(view, { type: 'claim', claim: member }, nowMs);
    view = step.view;
    changes.push(...step.changes);
  }
  return { view, changes };
}

/** Members sorted by id, so that all nodes list them alike. */
export function membersOf(view: MembershipView): Member[] {
  return [...view.members.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function stepSelf(view: MembershipView, claim: MemberClaim, nowMs: number): MembershipStep {
  assert(claim.id === view.selfId, `self event of ${claim.id} in the view of ${view.selfId}`);
  const previous = view.members.get(view.selfId) ?? null;
  assert(
    previous === null || claim.incarnation >= previous.incarnation,
    `own incarnation falls from ${previous?.incarnation} to ${claim.incarnation}`,
  );
  return put(view, previous, claim, nowMs);
}

/** Others can't change what a node knows about itself; it answers accusations by raising its incarnation (`self`). */
function stepClaimAboutSelf(view: MembershipView, claim: MemberClaim): MembershipStep {
  const self = view.members.get(view.selfId);
  if (self === undefined) return { view, changes: [] };
  if (claim.meta.uuid === self.meta.uuid && claim.meta.startCounter > self.meta.startCounter) {
    return { view, changes: [{ kind: 'superseded', by: claim }] };
  }
  // At this node's own gossip address an old life of this id is only a memory of the peers, not a second one.
  const second = isConflict(self, claim) && claim.gossipAddress !== self.gossipAddress;
  return { view, changes: second ? [{ kind: 'conflict', member: self, other: claim }] : [] };
}

function merge(view: MembershipView, claim: MemberClaim, nowMs: number): MembershipStep {
  const known = view.members.get(claim.id) ?? null;
  if (known !== null) {
    const wins = compareClaims(claim, known) > 0;
    const step = wins ? put(view, known, claim, nowMs) : { view, changes: [] };
    if (!isConflict(known, claim)) return step;
    const member = step.view.members.get(claim.id)!;
    return { view: step.view, changes: [...step.changes, { kind: 'conflict', member, other: wins ? known : claim }] };
  }
  if (view.members.size < view.limits.membersMax) return put(view, null, claim, nowMs);
  const oldest = isReachable(claim) ? oldestTombstone(view) : null;
  if (oldest === null) return { view, changes: [{ kind: 'refused', id: claim.id }] };
  const step = put(without(view, [oldest]), null, claim, nowMs);
  return { view: step.view, changes: [{ kind: 'pruned', member: oldest }, ...step.changes] };
}

function put(view: MembershipView, previous: Member | null, claim: MemberClaim, nowMs: number): MembershipStep {
  const { id, incarnation, state, gossipAddress, meta } = claim;
  const keepsSince = previous !== null && previous.state === state && isSameStart(previous, claim);
  const sinceMs = keepsSince ? previous.sinceMs : nowMs;
  const member: Member = { id, incarnation, state, gossipAddress, meta, sinceMs };
  const members = new Map(view.members).set(id, member);
  const change = changeBetween(previous, member);
  return { view: { ...view, members }, changes: change === null ? [] : [change] };
}

function prune(view: MembershipView, nowMs: number): MembershipStep {
  const expired = tombstones(view).filter((member) => nowMs - member.sinceMs >= view.limits.tombstoneKeepMs);
  if (expired.length === 0) return { view, changes: [] };
  return { view: without(view, expired), changes: expired.map((member) => ({ kind: 'pruned', member })) };
}

function tombstones(view: MembershipView): Member[] {
  return membersOf(view).filter((member) => !isReachable(member) && member.id !== view.selfId);
}

function oldestTombstone(view: MembershipView): Member | null {
  return tombstones(view).reduce<Member | null>(
    (oldest, member) => (oldest === null || member.sinceMs < oldest.sinceMs ? member : oldest),
    null,
  );
}

function without(view: MembershipView, gone: readonly Member[]): MembershipView {
  const members = new Map(view.members);
  for (const member of gone) members.delete(member.id);
  return { ...view, members };
}
