export { advertisedHost } from './advertised-host.ts';
export {
  type CompiledConfig,
  type ConfigSources,
  compileConfig,
  type SettingOrigin,
} from './compile-config.ts';
export { configJsonSchema, type SettingRow, settingRows } from './config-documents.ts';
export { ConfigError, type ConfigProblem, formatProblem } from './config-problem.ts';
export { configWarnings } from './config-warnings.ts';
export { formatHostPort, type HostPort, parseHostPort } from './host-port.ts';
export { builtInJobs, isPath } from './job-names.ts';
export { nearestName } from './nearest-name.ts';
export type { NodeConfig, NodeTlsConfig, PeerConfig } from './node-config.ts';
export { type Setting, settings } from './setting-list.ts';
export type { Settings } from './settings-schema.ts';
export type { ConfigFile } from './sources.ts';
export { durationExpected, durationMs, sizeBytes } from './units.ts';
