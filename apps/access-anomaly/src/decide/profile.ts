/** What the scorer remembers of a user besides the aggregates. Plain data, bounded. */

/** Places of the latest successes that can be compared for travel, latest first; columns. */
export interface Places {
  time: number[];
  lat: number[];
  lon: number[];
  radiusKm: number[];
  network: (string | null)[];
  asn: (number | null)[];
  city: string[];
  country: (string | null)[];
}

export const placesMax = 3;
/** A burst is one failure more than ten within the hour: eleven times tell. */
export const burstFailures = 11;
/** Ten hours of bursts: as far may a user's partitions be apart without one being missed. */
export const failureTimesMax = 10 * burstFailures;

export interface Profile {
  /** Latest believed time of any record, Unix ms; -1 before the first. */
  latestTime: number;
  /** Earliest believed success; -1 before the first. */
  firstSuccess: number;
  /** Successes that were learned, and those among them with a city. */
  learned: number;
  learnedWithCity: number;
  places: Places;
  /** Latest failures, eleven of an hour at most, latest first. */
  failureTimes: number[];
  /** Latest hour, since 1970, of which a burst was told; -1 for none. */
  burstHour: number;
  /** Others of which failures are kept; none before the second. Apart, so that stored states stay as they are. */
  earlierBurstHours?: number[];
}

export function initialProfile(): Profile {
  return {
    latestTime: -1,
    firstSuccess: -1,
    learned: 0,
    learnedWithCity: 0,
    places: { time: [], lat: [], lon: [], radiusKm: [], network: [], asn: [], city: [], country: [] },
    failureTimes: [],
    burstHour: -1,
  };
}

/** Older than this against the user's latest, a record is counted and not judged. */
export const lateMaxMs = 7 * 86_400_000;

export function isLate(profile: Profile, timeUnixMs: number): boolean {
  return timeUnixMs < profile.latestTime - lateMaxMs;
}

const readySuccesses = 10;
const readyAgeMs = 14 * 86_400_000;
const readySuccessesOfAge = 3;

/** `learning` until ten successes, or fourteen days with at least three. */
export function profileState(profile: Profile, nowUnixMs: number): 'learning' | 'ready' {
  if (profile.learned >= readySuccesses) return 'ready';
  const aged = profile.firstSuccess >= 0 && nowUnixMs - profile.firstSuccess >= readyAgeMs;
  return aged && profile.learned >= readySuccessesOfAge ? 'ready' : 'learning';
}
