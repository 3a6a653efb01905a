import { errorText, hashUnit, unitHashOut } from '@holdfast/model';
import type { HotUnit, UserAnswer } from '../shard-messages.ts';
import type { ShardContext } from './shard-context.ts';

/** A user's state as this shard has it now; null when its unit isn't open here. */
export function answerQuery(context: ShardContext, key: Uint8Array, hot: readonly HotUnit[]): UserAnswer | null {
  const { holder, options } = context;
  hashUnit(key, 0, key.length);
  const found = holder.questions.user(unitHashOut.hi, unitHashOut.lo, key);
  if (found === null) return null;
  const { unit, user } = found;
  const { view, error } = user === null ? { view: null, error: found.error } : viewOf(context, user.state, key);
  return {
    epoch: unit.epoch,
    view,
    stateError: error,
    backupAgeMs: unit.lastSavedMs === 0 ? null : options.timers.monotonicMs() - unit.lastSavedMs,
    dirty: unit.dirty,
    recordsPerSec: hot.find(({ hi, lo }) => hi === unit.hi && lo === unit.lo)?.recordsPerSec ?? null,
    applied: holder.questions.vectorOf(unit),
  };
}

/** Plain data, as it goes to other threads and nodes, or why there is none: whoever looks ends nobody. */
function viewOf({ options }: ShardContext, state: unknown, key: Uint8Array): { view: unknown; error: string | null } {
  try {
    return { view: JSON.parse(JSON.stringify(options.job.view(state, key) ?? null)), error: null };
  } catch (error) {
    options.logger.warn("a user's state can't be shown", { err: error });
    return { view: null, error: errorText(error) };
  }
}
