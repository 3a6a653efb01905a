export {
  builtInJobs,
  type CompiledConfig,
  ConfigError,
  type ConfigFile,
  type ConfigProblem,
  type ConfigSources,
  compileConfig,
  configJsonSchema,
  configWarnings,
  durationExpected,
  durationMs,
  formatHostPort,
  formatProblem,
  type HostPort,
  isPath,
  type NodeConfig,
  type NodeTlsConfig,
  nearestName,
  type PeerConfig,
  parseHostPort,
  type Setting,
  type SettingOrigin,
  type SettingRow,
  type Settings,
  settingRows,
  settings,
  sizeBytes,
} from './config/index.ts';
export {
  JobLoadError,
  type JobLoadErrorCode,
  loadJob,
  loadMapping,
  type ShownState,
  shownState,
} from './job/index.ts';
export { type ActDocument, type ActPlace, actSchemaName } from './runtime/admin-acts.ts';
export { exportUsers } from './runtime/export-users.ts';
export { NodeEndError } from './runtime/node-end.ts';
export { NodeTimers } from './runtime/node-timers.ts';
export { nodeVersion, runNode } from './runtime/run-node.ts';
export { type NodeEnd, NodeStartError, type RunningNode } from './runtime/running-node.ts';
export { openLog } from './runtime/services/open-log.ts';
export { ServiceError, type ServiceErrorCode, serviceErrorCodes } from './runtime/services/service-error.ts';
export type { ServiceEnvironment } from './runtime/services/until-reached.ts';
export { readTlsFiles, TlsFilesError, type TlsOwner } from './runtime/tls-files.ts';
export { lookUpUser, readStoredUser, type StoredUser, showKey } from './runtime/user-lookup.ts';
export {
  type BalancingReport,
  type Health,
  type HotUnit,
  type NodeAnswer,
  type NodeReport,
  RateMeter,
  type Reason,
  type ReasonCode,
  reasonCodes,
  type ServiceReport,
  type ServicesReport,
  type ShardReport,
  type StatusDocument,
  type StatusInput,
  type StatusNode,
  type StatusShard,
  statusSchemaName,
  statusView,
  type TableFacts,
  type Totals,
  type UserDocument,
  userSchemaName,
} from './status/index.ts';
