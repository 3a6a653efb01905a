import { insertBounded, replaceAhead } from '../aggregate/columns.ts';
import type { Login } from '../mapping/login.ts';
import { burstFailures, failureTimesMax, isLate, lateMaxMs, type Profile } from './profile.ts';
import type { Reason } from './scorer.ts';

const hourMs = 3_600_000;

function hourOf(timeUnixMs: number): number {
  return Math.floor(timeUnixMs / hourMs);
}

/**
 * Adds a failure to the latest ones, of each hour the latest eleven: as many are a burst by themselves, and one that
 * ends in the next hour takes no earlier ones. So a long burst doesn't push out hours of which more may come.
 * @returns its place; -1: it isn't kept
 */
function addFailure(profile: Profile, timeUnixMs: number): number {
  const times = profile.failureTimes;
  // What nothing can follow any more that would be judged.
  while (times.length > 0 && times[times.length - 1]! < profile.latestTime - lateMaxMs - hourMs) times.pop();
  const hour = hourOf(timeUnixMs);
  let at = 0;
  while (at < times.length && times[at]! >= timeUnixMs) at++;
  let [begin, end] = [at, at];
  while (begin > 0 && hourOf(times[begin - 1]!) === hour) begin--;
  while (end < times.length && hourOf(times[end]!) === hour) end++;
  if (end - begin >= burstFailures) {
    if (at === end) return -1;
    replaceAhead(times, end - 1, at, timeUnixMs);
    return at;
  }
  if (at >= failureTimesMax) return -1;
  profile.failureTimes = insertBounded(times, at, timeUnixMs, failureTimesMax);
  return at;
}

/** False: it was told before. */
function noteBurst(profile: Profile, hour: number): boolean {
  const { burstHour, earlierBurstHours = [], failureTimes } = profile;
  if (hour === burstHour || earlierBurstHours.includes(hour)) return false;
  profile.burstHour = Math.max(hour, burstHour);
  if (burstHour < 0) return true;
  // An hour of which no failure is kept gets none any more.
  const oldest = hourOf(failureTimes[failureTimes.length - 1]!);
  const earlier = [...earlierBurstHours, Math.min(hour, burstHour)].filter((one) => one >= oldest);
  profile.earlierBurstHours = earlier;
  return true;
}

/**
 * Learns a failure and says whether it makes a burst whole: more than ten failures within an hour, told once per user
 * and clock hour in which the last of them lies, and not of what comes a week late. It may be any of the eleven that
 * arrives last: a user's records come over several partitions.
 */
export function learnFailure(profile: Profile, login: Login): Reason | null {
  const { timeUnixMs } = login;
  if (isLate(profile, timeUnixMs)) return null;
  const at = addFailure(profile, timeUnixMs);
  if (at < 0) return null;
  const times = profile.failureTimes;
  let isTold = false;
  const last = Math.min(at, times.length - burstFailures);
  // One that makes two hours' bursts whole, as the link between them, tells of both.
  for (let i = Math.max(0, at - burstFailures + 1); i <= last; i++) {
    const isBurst = times[i]! - times[i + burstFailures - 1]! < hourMs;
    if (isBurst && noteBurst(profile, hourOf(times[i]!))) isTold = true;
  }
  if (!isTold) return null;
  // B of the score: clip(ln((1 + f) / 3), 0, 2.5) with f the failures of the hour, as many as it takes.
  const contribution = Math.min(2.5, Math.max(0, Math.log((1 + burstFailures) / 3)));
  return { signal: 'burst', contribution, text: 'more than 10 failures within an hour' };
}
