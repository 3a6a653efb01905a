export type {
  BalancingReport,
  HotUnit,
  LeaderProblem,
  NodeAnswer,
  NodeReport,
  ServiceReport,
  ServicesReport,
  ShardReport,
  TableFacts,
} from './node-report.ts';
export { RateMeter } from './rate-meter.ts';
export {
  type Health,
  type Reason,
  type ReasonCode,
  reasonCodes,
  type StatusDocument,
  type StatusNode,
  type StatusShard,
  statusSchemaName,
  type Totals,
} from './status-document.ts';
export { type StatusInput, statusView } from './status-view.ts';
export { type UserDocument, userSchemaName } from './user-document.ts';
