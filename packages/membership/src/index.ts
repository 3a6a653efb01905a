export { type Address, formatAddress, parseAddress } from './address.ts';
export { compareClaims, isSameMeta } from './claim-order.ts';
export { type MembershipError, membershipErrorCodes } from './errors.ts';
export { incarnationOfStart, isIncarnation } from './incarnation.ts';
export {
  addressBytesMax,
  incarnationMax,
  incarnationsPerStart,
  nodeIdBytesMax,
  nodeMetaBytesMax,
  shardsMax,
  startCounterMax,
  startsMissedMax,
  versionBytesMax,
  zoneBytesMax,
} from './limits.ts';
export {
  isReachable,
  isSameStart,
  type Member,
  type MemberClaim,
  type MemberState,
  memberStates,
  type NodeMeta,
} from './member.ts';
export { changeBetween, type MemberChange } from './member-change.ts';
export {
  emptyView,
  type MembershipEvent,
  type MembershipLimits,
  type MembershipStep,
  type MembershipView,
  membersOf,
  mergeViews,
  stepMembership,
} from './membership-view.ts';
export { isText, nodeMetaProblems } from './node-meta.ts';
export { decodeNodeMeta, encodeNodeMeta, nodeMetaBytes } from './node-meta-codec.ts';
export { LocalHealth } from './swim/local-health.ts';
export {
  type SwimOptions,
  type SwimStats,
  swimDefaults,
  swimOptionProblems,
  zeroSwimStats,
} from './swim/options.ts';
export type { News, SwimMessage, SwimPacket } from './swim/packet.ts';
export { decodePacket, encodePacket, newsBytes, packetHeadBytes } from './swim/packet-codec.ts';
export { RateLimit } from './swim/rate-limit.ts';
export { suspicionTimeoutMs } from './swim/suspicion.ts';
export { type SwimEvent, stepSwim } from './swim/swim-core.ts';
export { type SwimEffect, SwimState } from './swim/swim-state.ts';
