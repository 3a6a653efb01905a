export { type AdminRequest, type LeaderReply, type RefusalReason, refusalReasons } from './calls.ts';
export type { NodeStatusRow, UserQueryAnswer } from './control-answers.ts';
export { ControlPlane } from './control-plane.ts';
export { ControlPlaneError, controlPlaneErrorCodes } from './control-plane-error.ts';
export type { ControlPlaneOptions } from './control-plane-options.ts';
export type {
  ControlStatus,
  PartitionSummary,
  RaftSummary,
  SessionSummary,
  TableSummary,
  UnitInfo,
} from './control-status.ts';
export { LeaseStateMachine, type LeaseStateMachineEvents, type TableChange } from './lease-state-machine.ts';
export { type CompactionRule, defaultCompaction } from './log-compaction.ts';
export type { NodeIncarnation, NodeSessionState } from './node-session.ts';
export { RaftDriver } from './raft-driver.ts';
export { RaftDriverError, type RaftDriverErrorCode, raftDriverErrorCodes } from './raft-driver-error.ts';
export {
  defaultLimits,
  defaultTiming,
  type Leadership,
  type RaftDriverLimits,
  type RaftDriverOptions,
  type RaftDriverTiming,
} from './raft-driver-options.ts';
export type { ShardPort } from './shard-port.ts';
export type { QueryAnswer } from './shard-queries.ts';
export type { StateMachine } from './state-machine.ts';
export type { StopResult } from './stop.ts';
