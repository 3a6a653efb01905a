import { insertBounded } from '../aggregate/columns.ts';
import type { Login } from '../mapping/login.ts';
import { failureTimesMax, isLate, type Profile } from './profile.ts';
import type { Reason } from './scorer.ts';

const hourMs = 3_600_000;

/** Adds a failure to the latest ones. */
function addFailure(profile: Profile, timeUnixMs: number): void {
  const times = profile.failureTimes;
  let i = times.length;
  while (i > 0 && times[i - 1]! < timeUnixMs) i--;
  if (i < failureTimesMax) profile.failureTimes = insertBounded(times, i, timeUnixMs, failureTimesMax);
}

/**
 * Learns a failure and says whether it is a burst: more than ten failures within the hour up to it, told once per user
 * and clock hour, and not of what comes a week late.
 */
export function learnFailure(profile: Profile, login: Login): Reason | null {
  const { timeUnixMs } = login;
  addFailure(profile, timeUnixMs);
  const within = profile.failureTimes.filter((time) => time <= timeUnixMs && time > timeUnixMs - hourMs).length;
  const hour = Math.floor(timeUnixMs / hourMs);
  if (within < failureTimesMax || hour <= profile.burstHour || isLate(profile, timeUnixMs)) return null;
  profile.burstHour = hour;
  // B of the score: clip(ln((1 + f) / 3), 0, 2.5) with f the failures of the hour.
  const contribution = Math.min(2.5, Math.max(0, Math.log((1 + within) / 3)));
  return { signal: 'burst', contribution, text: 'more than 10 failures within an hour' };
}
