import { type MemberClaim, memberStates, type NodeMeta } from './member.ts';

/**
 * Total order over claims about one member: incarnation, then state, then (only for claims that contradict each other,
 * as of two nodes under one id) their text. The greater one is believed.
 *
 * Since merging is taking the maximum of a total order, it is commutative, associative and idempotent, whatever is lost,
 * repeated or reordered on the way.
 * @returns below 0, 0 or above 0; 0 only for equal claims
 * Source: SWIM paper, 4.2 (order of alive, suspect and confirm); the tie-break is ours
 */
export function compareClaims(a: MemberClaim, b: MemberClaim): number {
  return (
    a.incarnation - b.incarnation ||
    memberStates.indexOf(a.state) - memberStates.indexOf(b.state) ||
    a.meta.startCounter - b.meta.startCounter ||
    compareText(a.gossipAddress, b.gossipAddress) ||
    (a.meta === b.meta ? 0 : compareText(metaText(a.meta), metaText(b.meta)))
  );
}

/** Whether two metas say the same. */
export function isSameMeta(a: NodeMeta, b: NodeMeta): boolean {
  return a === b || metaText(a) === metaText(b);
}

function metaText(meta: NodeMeta): string {
  return JSON.stringify([
    meta.uuid,
    meta.startCounter,
    meta.version,
    meta.peerAddress,
    meta.shardAddresses,
    meta.httpAddress,
    meta.zone,
  ]);
}

/** By UTF-16 units: the same on every machine, unlike a comparison by locale. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
