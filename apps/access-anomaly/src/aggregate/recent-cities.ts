import { insertBounded, replaceAhead } from './columns.ts';
import { isLater, type Moments, rankOf } from './latest.ts';
import type { Position } from './position.ts';

/**
 * The cities of the latest successes: distinct (city, country) pairs by the time of their latest success, latest first.
 * Exact whatever the order of arrival: a city that was pushed out comes back only by a later success of its own, which
 * is all that its place depends on.
 */
export interface RecentCities extends Moments {
  city: string[];
  country: (string | null)[];
}

export const recentCitiesMax = 10;

function findCity(cities: RecentCities, city: string, country: string | null): number {
  for (let i = 0; i < cities.city.length; i++) {
    if (cities.city[i] === city && cities.country[i] === country) return i;
  }
  return -1;
}

export function addRecentCity(
  cities: RecentCities,
  city: string,
  country: string | null,
  time: number,
  at: Position,
): void {
  const known = findCity(cities, city, country);
  if (known >= 0) {
    if (!isLater(cities, known, time, at)) return;
    const rank = rankOf(cities, time, at, known);
    replaceAhead(cities.city, known, rank, city);
    replaceAhead(cities.country, known, rank, country);
    replaceAhead(cities.time, known, rank, time);
    replaceAhead(cities.partition, known, rank, at.partition);
    replaceAhead(cities.offset, known, rank, at.offset);
    return;
  }
  const rank = rankOf(cities, time, at, cities.city.length);
  if (rank >= recentCitiesMax) return;
  cities.city = insertBounded(cities.city, rank, city, recentCitiesMax);
  cities.country = insertBounded(cities.country, rank, country, recentCitiesMax);
  cities.time = insertBounded(cities.time, rank, time, recentCitiesMax);
  cities.partition = insertBounded(cities.partition, rank, at.partition, recentCitiesMax);
  cities.offset = insertBounded(cities.offset, rank, at.offset, recentCitiesMax);
}
