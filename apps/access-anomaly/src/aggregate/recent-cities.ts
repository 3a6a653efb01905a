import { insertMoment, isLater, type Moments, rankOf, removeMoment } from './latest.ts';
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

export function addRecentCity(
  cities: RecentCities,
  city: string,
  country: string | null,
  time: number,
  at: Position,
): void {
  for (let i = 0; i < cities.city.length; i++) {
    if (cities.city[i] !== city || cities.country[i] !== country) continue;
    if (!isLater(cities, i, time, at)) return;
    cities.city.splice(i, 1);
    cities.country.splice(i, 1);
    removeMoment(cities, i);
    break;
  }
  const rank = rankOf(cities, time, at);
  if (rank >= recentCitiesMax) return;
  cities.city.splice(rank, 0, city);
  cities.country.splice(rank, 0, country);
  insertMoment(cities, rank, time, at);
  if (cities.city.length <= recentCitiesMax) return;
  cities.city.pop();
  cities.country.pop();
  removeMoment(cities, recentCitiesMax);
}
