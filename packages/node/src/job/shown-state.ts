import { errorText } from '@holdfast/model';
import type { CompiledJob } from '@holdfast/sdk';

/** What a job shows of a stored state, or why it can't. */
export interface ShownState {
  readonly view: unknown;
  readonly error: string | null;
}

/** Never throws: a state of another version, or one that the job's `view` can't take, is no reason to show nothing else. */
export function shownState(
  job: Pick<CompiledJob, 'decodeState' | 'view'>,
  state: Uint8Array,
  key: Uint8Array,
): ShownState {
  try {
    return { view: job.view(job.decodeState(state), key), error: null };
  } catch (error) {
    return { view: null, error: errorText(error) };
  }
}
