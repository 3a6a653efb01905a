import type { ConfigProblem } from './config-problem.ts';
import { givenOrigin, type Layer } from './sources.ts';
import { durationMs, sizeBytes } from './units.ts';

interface Bounds {
  /** As they would be written. */
  readonly least: string;
  readonly most: string;
}

/** A timer counts 32 bits of milliseconds: a longer one would go off at once. */
const timerMost = '24d';

const durationBounds: Readonly<Record<string, Bounds>> = {
  'backup.interval': { least: '100ms', most: timerMost },
  'session.ttl': { least: '300ms', most: '1d' },
  // A session is looked after every 100 ms: what is due more often would come late.
  'session.renew': { least: '100ms', most: '1d' },
  'session.stop': { least: '100ms', most: '1d' },
  'drain.deadline': { least: '1s', most: timerMost },
  'kafka.retryTime': { least: '1ms', most: timerMost },
  // 0 would have the brokers throw away what they have just taken.
  'kafka.retention': { least: '1s', most: '36500d' },
  'kafka.deadLetterRetention': { least: '1s', most: '36500d' },
  'kafka.connectDeadline': { least: '0s', most: timerMost },
  'redis.connectDeadline': { least: '0s', most: timerMost },
};

/** With less than a kilobyte, or none, nothing would ever be taken. A fetch is asked for in 32 bits. */
const sizeBounds: Readonly<Record<string, Bounds>> = {
  'limits.frameBytes': { least: '1KiB', most: '1GiB' },
  'limits.bytesInFlight': { least: '1KiB', most: '1GiB' },
  'limits.parkedBytes': { least: '1KiB', most: '64GiB' },
  'limits.outputBytes': { least: '1KiB', most: '64GiB' },
  'limits.fetchBytes': { least: '1KiB', most: '1GiB' },
  'kafka.decompressedBytesMax': { least: '1B', most: '1GiB' },
};

/** Durations and sizes that are well written, and that nothing could run with. */
export function checkBounds(merged: Layer): ConfigProblem[] {
  return [...outside(durationBounds, durationMs, merged), ...outside(sizeBounds, sizeBytes, merged)];
}

function outside(
  bounds: Readonly<Record<string, Bounds>>,
  amountOf: (text: string) => number | null,
  merged: Layer,
): ConfigProblem[] {
  return Object.entries(bounds).flatMap(([path, { least, most }]) => {
    const value = merged.get(path)?.value;
    const amount = typeof value === 'string' ? amountOf(value) : null;
    if (amount === null || (amount >= amountOf(least)! && amount <= amountOf(most)!)) return [];
    return [{ path, value, expected: `from ${least} to ${most}`, origin: givenOrigin(path, merged) }];
  });
}
