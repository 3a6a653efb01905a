import type { KeyLocator } from '../job.ts';

/** Of a record whose locator threw, beside what a locator says itself. */
const keyError = 3;

/** What the locator says of a record; 3: it threw. Nothing notes what an ingest is at, so a throw must not end it. */
export function locateKey(locator: KeyLocator, bytes: Uint8Array, start: number, end: number): 0 | 1 | 2 | 3 {
  try {
    return locator.locate(bytes, start, end);
  } catch {
    return keyError;
  }
}

/** Why there is no key, for the dead letter. */
export function refusal(locator: KeyLocator, verdict: 0 | 1 | 2 | 3): string {
  return verdict === keyError ? 'key-error' : locator.reason;
}
