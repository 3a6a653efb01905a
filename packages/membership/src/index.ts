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
