export { type AdminRequest, type LeaderReply, type RefusalReason, refusalReasons } from './control/calls.ts';
export type { NodeStatusRow, UserQueryAnswer } from './control/control-answers.ts';
export { ControlPlane } from './control/control-plane.ts';
export { ControlPlaneError, controlPlaneErrorCodes } from './control/control-plane-error.ts';
export type { ControlPlaneOptions } from './control/control-plane-options.ts';
export type {
  ControlStatus,
  HeldBackSummary,
  PartitionSummary,
  RaftSummary,
  SessionSummary,
  TableSummary,
  UnitInfo,
} from './control/control-status.ts';
export type { LeaderProblem } from './control/leader-problems.ts';
export { LeaseStateMachine, type LeaseStateMachineEvents, type TableChange } from './control/lease-state-machine.ts';
export { type CompactionRule, defaultCompaction } from './control/log-compaction.ts';
export type { NodeIncarnation, NodeSessionState } from './control/node-session-options.ts';
export { RaftDriver } from './control/raft-driver.ts';
export { RaftDriverError, type RaftDriverErrorCode, raftDriverErrorCodes } from './control/raft-driver-error.ts';
export {
  defaultLimits,
  defaultTiming,
  type Leadership,
  type RaftDriverLimits,
  type RaftDriverOptions,
  type RaftDriverTiming,
} from './control/raft-driver-options.ts';
export { type ServiceReport, type ServicesReport, ServiceWatch } from './control/service-watch.ts';
export type { ShardPort } from './control/shard-port.ts';
export type { QueryAnswer } from './control/shard-queries.ts';
export type { StateMachine } from './control/state-machine.ts';
export type { StopResult } from './control/stop.ts';
export { storeLook } from './control/store-look.ts';
export {
  type CrashKnowledge,
  type CrashNote,
  isSuspect,
  learn,
  nothingKnown,
  type SuspectRange,
} from './crash/crash-knowledge.ts';
export * from './ports/adoption.ts';
export type * from './ports/backup-store.ts';
export type * from './ports/crash-reports.ts';
export type * from './ports/gossip.ts';
export * from './ports/host-names.ts';
export * from './ports/log.ts';
export * from './ports/peer-transport.ts';
export * from './ports/raft-storage.ts';
export type * from './ports/record-transport.ts';
export * from './ports/timers.ts';
export { SessionProof } from './session-proof.ts';
export { Shard } from './shard/shard.ts';
export type { TableView } from './shard/shard-context.ts';
export { defaultShardSettings, type ShardOptions, type ShardSettings } from './shard/shard-options.ts';
export { findStart, type StartOptions, startBehindGap } from './shard/start-offset.ts';
export {
  cutValueBytes,
  keyLeftOut,
  outputBytesHeader,
  outputTooLargeReason,
  outputTopicHeader,
  truncatedHeader,
} from './shard/too-large.ts';
export { WaitingMessages } from './shard/waiting-messages.ts';
export type * from './shard-messages.ts';
export { type ShardStatName, ShardStats, shardStatNames } from './shard-stats.ts';
