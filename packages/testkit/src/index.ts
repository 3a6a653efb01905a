export {
  type BackupStoreConformanceOptions,
  type BackupStoreHarness,
  backupStoreConformance,
} from './backup-store-conformance.ts';
export { StoredRows } from './cluster-simulation/checkers/stored-rows.ts';
export { UserStates } from './cluster-simulation/checkers/user-states.ts';
export { ClusterChecks } from './cluster-simulation/cluster-checks.ts';
export {
  deadLetterTopic,
  inputTopic,
  type LedgerState,
  ledgerProcessor,
  type OnApply,
  outputTopic,
} from './cluster-simulation/cluster-job.ts';
export { counts, isDead, Ledger, type ProducedRecord } from './cluster-simulation/ledger.ts';
export { encodeRecord, type RecordKind } from './cluster-simulation/record-format.ts';
export { type LifeRow, StoreLife } from './cluster-simulation/store-life.ts';
export { drawHostileUsers, drawUsers, type SimulatedUser } from './cluster-simulation/users.ts';
export { type CrashFolder, type CrashFolderStart, crashFolderConformance } from './crash-folder-conformance.ts';
export { EventLog } from './event-log.ts';
export { type GossipHarness, gossipConformance } from './gossip/gossip-conformance.ts';
export {
  type DetectionOptions,
  type DetectionRun,
  measureDetection,
  measureQuiet,
  percentile,
  type QuietOptions,
  type QuietRun,
  type Starvation,
} from './gossip/measure.ts';
export { MemoryGossip, MemoryGossipNetwork, type MemoryGossipOptions } from './gossip/memory-gossip.ts';
export { type LogHarness, logConformance } from './log-conformance.ts';
export { partitionOf, readRecords, recordsOf, textRecords } from './log-records.ts';
export { type BentPart, MemoryBackupStore, MemoryStoreDisk, type StoreImage } from './memory-backup-store.ts';
export { MemoryCrashFolder } from './memory-crash-folder.ts';
export { MemoryLog, MemoryLogDisk, type MemoryLogTime } from './memory-log.ts';
export { MemoryNetwork, type MemoryNetworkOptions, type NetworkFaults } from './memory-network.ts';
export { MemoryPeerTransport, type MemoryPeerTransportOptions } from './memory-peer-transport.ts';
export { MemoryRaftDisk, MemoryRaftStorage } from './memory-raft-storage.ts';
export { MemoryRecordTransport, type MemoryRecordTransportOptions } from './memory-record-transport.ts';
export { ImmediateTime, type NetworkTime } from './network-time.ts';
export { type PeerTransportHarness, peerTransportConformance } from './peer-transport-conformance.ts';
export {
  type RaftStorageConformanceOptions,
  type RaftStorageHarness,
  raftStorageConformance,
} from './raft-storage-conformance.ts';
export { profileNames as recordProfiles } from './record-simulation/profile.ts';
export {
  type RecordTransportHarness,
  recordTransportConformance,
  sampleFrame,
} from './record-transport-conformance.ts';
export { EpochsRise } from './simulation/checkers/epochs-rise.ts';
export { HardStates } from './simulation/checkers/hard-state.ts';
export { LeaseModel } from './simulation/checkers/lease-model.ts';
export { OneLeader } from './simulation/checkers/one-leader.ts';
export { OneVote } from './simulation/checkers/one-vote.ts';
export { digestOf } from './simulation/code-digest.ts';
export { JsonLines, JsonLinesError } from './simulation/json-lines.ts';
export type { TwinHooks } from './twin-hooks.ts';
