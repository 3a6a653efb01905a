import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Login } from '../mapping/login.ts';
import { learnFailure } from './burst.ts';
import { burstFailures, failureTimesMax, initialProfile, type Profile } from './profile.ts';

const start = Date.parse('2026-03-02T08:00:00Z');
const minute = 60_000;
const hour = 60;

/** Whole milliseconds: thirds of minutes an hour apart are that exactly. */
function msOf(minutes: number): number {
  return Math.round(minutes * minute);
}

/** Times in minutes, in the order of arrival. @returns how many bursts are told */
function told(minutes: readonly number[], profile: Profile = initialProfile()): number {
  let count = 0;
  for (const at of minutes) {
    const timeUnixMs = start + msOf(at);
    profile.latestTime = Math.max(profile.latestTime, timeUnixMs);
    if (learnFailure(profile, { timeUnixMs } as Login) !== null) count++;
  }
  return count;
}

function every(gap: number, count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i * gap);
}

/** Hours in which a window of eleven ends, counted the slow way. */
function burstHours(minutes: readonly number[]): number[] {
  const times = minutes.map(msOf);
  const hourMs = msOf(hour);
  const ends = times.filter((end) => times.filter((at) => at <= end && at > end - hourMs).length >= burstFailures);
  return [...new Set(ends.map((end) => Math.floor(end / hourMs)))];
}

test('whichever of its failures arrives last, a burst is told', () => {
  const eleven = every(1, 11);
  for (const late of eleven) assert.equal(told([...eleven.filter((at) => at !== late), late]), 1, `${late}`);
  assert.equal(told(every(1, 40).reverse()), 1);
});

test('partitions may be read one after the other, also the later hour first', () => {
  const day = every(2, 24);
  assert.equal(told([...day.filter((at) => at % 4 === 0), ...day.filter((at) => at % 4 !== 0)]), 1);
  assert.equal(told([...every(1, 30, 3 * hour), ...every(1, 30)]), 2);
});

test('each hour is told once, and as many hours in any order as have a window of eleven', () => {
  const time = fc.tuple(fc.nat(3), fc.nat(hour * 4 - 1)).map(([part, at]) => at / (part + 1));
  fc.assert(
    fc.property(fc.uniqueArray(time, { minLength: 30, maxLength: 100 }), (minutes) => {
      const profile = initialProfile();
      const count = told(minutes, profile);
      const hours = [profile.burstHour, ...(profile.earlierBurstHours ?? [])].filter((one) => one >= 0);
      const expected = burstHours(minutes).map((one) => one + start / (hour * minute));
      assert.deepEqual(
        hours.sort((a, b) => a - b),
        expected.sort((a, b) => a - b),
      );
      // One record may be the link that two hours lacked: one event then.
      assert.ok(count <= hours.length && count >= hours.length / 2);
    }),
  );
});

test('in the order of time each hour has an event of its own', () => {
  assert.equal(told(every(1, 5 * hour)), 5);
  assert.equal(told([...every(5, 12 * 4), ...every(1, 10, 4 * hour)]), 5);
});

test('what is kept is bounded, in number and age', () => {
  const profile = initialProfile();
  assert.equal(told(every(1, 100 * hour), profile), 100);
  assert.equal(profile.failureTimes.length, failureTimesMax);
  assert.ok(profile.earlierBurstHours!.length <= 10);
  // Below what is kept: too late to tell.
  assert.equal(told(every(1, 30), profile), 0);
  told([30 * 24 * hour], profile);
  assert.equal(profile.failureTimes.length, 1);
});

test('a state of before, with eleven times and one hour, is gone on with', () => {
  const burstHour = start / (hour * minute);
  const failureTimes = every(1, 11)
    .map((at) => start + at * minute)
    .reverse();
  const profile = { ...initialProfile(), latestTime: failureTimes[0]!, failureTimes, burstHour };
  assert.equal(told([11, 12], profile), 0);
  assert.equal(told(every(1, 20, hour), profile), 1);
  assert.deepEqual([profile.burstHour - burstHour, profile.earlierBurstHours], [1, [burstHour]]);
});
