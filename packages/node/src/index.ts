export * from './config/index.ts';
export { builtInJobs, JobLoadError, type JobLoadErrorCode, loadJob, loadMapping } from './job/index.ts';
export { exportUsers } from './runtime/export-users.ts';
export { type NodeEnd, NodeStartError, nodeVersion, type RunningNode, runNode } from './runtime/run-node.ts';
export { lookUpUser, readStoredUser, type StoredUser, showKey } from './runtime/user-lookup.ts';
export * from './status/index.ts';
