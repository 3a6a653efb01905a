import { insertBounded } from './columns.ts';

/** A user's places, one row per distinct (city, country), as columns: plain, small, and quick to look through. */
export interface Locations {
  city: (string | null)[];
  country: (string | null)[];
  /** Records of any outcome. */
  count: number[];
  successes: number[];
  /** Latest record, Unix ms; null when all of them were ahead of their arrival. */
  lastSeen: (number | null)[];
}

export const locationsMax = 512;

/** Row of a pair, or -1. */
export function findLocation(locations: Locations, city: string | null, country: string | null): number {
  for (let i = 0; i < locations.city.length; i++) {
    if (locations.city[i] === city && locations.country[i] === country) return i;
  }
  return -1;
}

/** Index of the row unseen for longest; rows never seen come first, the older row wins a tie. */
function longestUnseen(locations: Locations): number {
  let oldest = 0;
  for (let i = 1; i < locations.lastSeen.length; i++) {
    if ((locations.lastSeen[i] ?? -Infinity) < (locations.lastSeen[oldest] ?? -Infinity)) oldest = i;
  }
  return oldest;
}

/**
 * Counts a record at a place.
 * @param seenUnixMs null when its time isn't believed
 * @returns records that lost their row because the table was full (0 nearly always)
 */
export function addLocation(
  locations: Locations,
  city: string | null,
  country: string | null,
  success: boolean,
  seenUnixMs: number | null,
): number {
  let row = findLocation(locations, city, country);
  let displaced = 0;
  if (row < 0) {
    if (locations.city.length >= locationsMax) {
      const oldest = longestUnseen(locations);
      displaced = locations.count[oldest]!;
      for (const column of Object.values(locations) as unknown[][]) column.splice(oldest, 1);
    }
    row = locations.city.length;
    locations.city = insertBounded(locations.city, row, city, locationsMax);
    locations.country = insertBounded(locations.country, row, country, locationsMax);
    locations.count = insertBounded(locations.count, row, 0, locationsMax);
    locations.successes = insertBounded(locations.successes, row, 0, locationsMax);
    locations.lastSeen = insertBounded(locations.lastSeen, row, null, locationsMax);
  }
  locations.count[row]!++;
  if (success) locations.successes[row]!++;
  const last = locations.lastSeen[row]!;
  if (seenUnixMs !== null && (last === null || seenUnixMs > last)) locations.lastSeen[row] = seenUnixMs;
  return displaced;
}
