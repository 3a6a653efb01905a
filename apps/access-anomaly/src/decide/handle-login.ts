import { applyLogin, noteAnomaly } from '../aggregate/apply-login.ts';
import type { Position } from '../aggregate/position.ts';
import type { UserState } from '../aggregate/user-state.ts';
import type { Login } from '../mapping/login.ts';
import { type AnomalyEvent, anomalyEvent } from './anomaly-event.ts';
import { learnFailure } from './burst.ts';
import { learnSuccess } from './learn.ts';
import type { Reason, Scorer } from './scorer.ts';

/** Which decisions become events: those of a level, or every one. */
export type EmitMode = 'anomalies' | 'all';

/**
 * One login of a user, start to end: judged against the state of before it, then counted, then learned from.
 * Changes the state in place.
 * @param id names the event, should there be one
 * @returns the event to emit, or null
 */
export function handleLogin(
  state: UserState,
  login: Login,
  at: Position,
  id: string,
  scorer: Scorer,
  emit: EmitMode = 'anomalies',
): AnomalyEvent | null {
  const { profile, successes } = state;
  if (login.timeUnixMs < profile.latestTime && !login.flags.includes('out_of_order')) login.flags.push('out_of_order');
  const score = scorer.score(state, login);
  applyLogin(state, login, at);
  let level = score.level;
  let reasons: readonly Reason[] = score.reasons;
  if (!login.flags.includes('future_time')) {
    if (login.timeUnixMs > profile.latestTime) profile.latestTime = login.timeUnixMs;
    if (login.outcome === 'success') learnSuccess(profile, login);
    else if (login.outcome === 'failure') {
      const burst = learnFailure(profile, login);
      if (burst !== null) {
        level = 'medium';
        reasons = [burst];
      }
    }
  }
  if (level === 'medium' || level === 'high') noteAnomaly(state, id, login.timeUnixMs, level);
  else if (emit === 'anomalies') return null;
  return anomalyEvent(id, login, score, level, reasons, successes, scorer.model);
}
