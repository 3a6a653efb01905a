export { JobLoadError, type JobLoadErrorCode, jobLoadErrorCodes } from './job-load-error.ts';
export { loadJob } from './load-job.ts';
export { loadMapping } from './load-mapping.ts';
export { type ShownState, shownState } from './shown-state.ts';
