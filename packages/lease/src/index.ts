export type {
  CrashNote,
  LeaseAnswer,
  LeaseCommand,
  LeaseDecision,
  RecordCrash,
} from './commands.ts';
export { LeaseCoordinator, type TickInput } from './coordinator.ts';
export {
  type ConnectOutcome,
  CrashEvidence,
  type CrashRound,
  connectOutcomes,
  defaultCrashEvidence,
} from './crash-evidence.ts';
export { type LeaseRefusal, type LeaseRefusalCode, leaseRefusalCodes } from './errors.ts';
export { type HolderChange, HolderHistory } from './holder-history.ts';
export { LeaseTable, type ShardLoad, type SnapshotInstall, type UnitLease } from './lease-table.ts';
export {
  crashesPerReportMax,
  partitionsPerTopicMax,
  shardsMax,
  shardsPerSessionMax,
  unitsHardMax,
  unitsPerRecordMax,
} from './limits.ts';
export type { NodeSays } from './node-fitness.ts';
export { compileLeaseOptions, defaultLeaseOptions, type LeaseOptions, LeaseOptionsError } from './options.ts';
export { PartitionEnds } from './partition-ends.ts';
export type { QuarantinedUnit } from './quarantine-registry.ts';
export {
  type BalanceShard,
  defaultRebalanceOptions,
  planRound,
  type RebalanceInput,
  type RebalanceOptions,
  type RebalanceRound,
  roundBudget,
  type UnitsMove,
} from './rebalance.ts';
export { type BalancingState, type HandOverOrder, Rebalancer, type RebalancerInput } from './rebalancer.ts';
export { decodeRecords, encodeRecords } from './record-codec.ts';
export type {
  EpochBase,
  ForceReleased,
  FrameCrashed,
  GenerationChanged,
  Granted,
  Incarnation,
  LeaseRecord,
  LeaseRecordKind,
  Moved,
  NodeDraining,
  NodeForgotten,
  PartitionEnd,
  PartitionGranted,
  PartitionReleased,
  ProcessCrash,
  QuarantineLifted,
  Released,
  SessionClosing,
  SessionEnded,
  SessionEndReason,
  SessionOpened,
  TopicRemoved,
  TopicSet,
  UnitCrashed,
  UnitQuarantined,
} from './records.ts';
export type {
  EndedSession,
  PartitionChange,
  PartitionLease,
  ReplayOutcome,
  SessionInfo,
  TopicInfo,
} from './replay-outcome.ts';
export { type ServiceName, type ServiceSays, type ServicesSay, serviceBreakMs, serviceNames } from './service-news.ts';
export type { TickHealth } from './session-clock.ts';
export { type KeeperState, SessionKeeper } from './session-keeper.ts';
export type { KnownNode } from './session-registry.ts';
export { TableFloor } from './table-floor.ts';
export { headerAt, storePair } from './table-layout.ts';
export { LeaseTableReader } from './table-reader.ts';
export type { SnapshotSource } from './table-snapshot.ts';
export type { UnitVisitor } from './unit-buffer.ts';
