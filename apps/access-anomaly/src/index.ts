export { type AccessAnomalyOptions, accessAnomaly, anomaliesTopic, inputTopic } from './access-anomaly.ts';
export { applyLogin, noteAnomaly } from './aggregate/apply-login.ts';
export type { Position } from './aggregate/position.ts';
export { type AnomalyLevel, initialUserState, type UserState } from './aggregate/user-state.ts';
export type { AnomalyEvent } from './decide/anomaly-event.ts';
export { GateScorer } from './decide/gate-scorer.ts';
export { type EmitMode, handleLogin } from './decide/handle-login.ts';
export type { Reason, Score, Scorer } from './decide/scorer.ts';
export { lineBytesMax } from './generator/line-writer.ts';
export { type AnomalyLabel, type GeneratorOptions, LogGenerator } from './generator/log-generator.ts';
export { formatIsoTime, parseIsoTime } from './iso-time.ts';
export { builtInMappings } from './mapping/built-in.ts';
export { defaultRecordLimits, parseRecord, type RecordLimits } from './mapping/key-exact.ts';
export { type KeyResult, KeyScanner, keyDead, keyFound, keySkip } from './mapping/key-scan.ts';
export {
  type DeadReason,
  deadReasons,
  type Login,
  type Normalised,
  type SkipReason,
  skipReasons,
} from './mapping/login.ts';
export type { Mapping, Outcome } from './mapping/mapping.ts';
export { Normaliser, normalise } from './mapping/normalise.ts';
export { type ParsedMapping, parseMapping, resolveMapping } from './mapping/parse-mapping.ts';
export { type Comparison, compare, type ExportedUser } from './reference/compare.ts';
export type { RawRecord } from './reference/read-record.ts';
export { type ExpectedUser, type Recount, recount } from './reference/recount.ts';
export { type UserView, viewUser } from './view.ts';
