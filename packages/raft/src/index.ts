export { decodeMessage, decodeSnapshot, encodeMessage, encodeSnapshot } from './codec.ts';
export type {
  Append,
  AppendReply,
  Heartbeat,
  HeartbeatReply,
  InstallSnapshot,
  PreVote,
  PreVoteReply,
  RaftMessage,
  ReadIndex,
  ReadIndexReply,
  SnapshotReply,
  TimeoutNow,
  Vote,
  VoteReply,
} from './messages.ts';
export { committedIndex, quorumSize, type VoteResult, voteResult } from './quorum.ts';
export { RawNode } from './raw-node.ts';
export {
  emptyRestored,
  type HardState,
  type PeerStatus,
  type ProgressState,
  type ProposeResult,
  type RaftEntry,
  type RaftOptions,
  type RaftStatus,
  type ReadContext,
  type ReadIndexResult,
  type ReadState,
  type Ready,
  type Restored,
  type Role,
  type Snapshot,
  type SoftState,
  type TransferResult,
} from './types.ts';
