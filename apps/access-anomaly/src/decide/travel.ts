import type { Login } from '../mapping/login.ts';
import { distanceKm } from './geodesy.ts';
import type { Places } from './profile.ts';

/** Limits of the travel signal; the noise of address databases set them, not the speed of aircraft alone. */
export const travelLimits = {
  distanceMinKm: 500,
  speedMinKmh: 800,
  radiusMaxKm: 200,
  radiusUnknownKm: 50,
  /** Two logins in the same instant still took some time: 0.36 s makes speeds finite. */
  gapMinHours: 0.0001,
} as const;

const hourMs = 3_600_000;

export interface Travel {
  /** T of the score, 3 to 5; 0 when a gate is closed. */
  readonly value: number;
  /** Between the two points, without their radii taken off. */
  readonly distanceKm: number;
  readonly speedKmh: number;
  /** Row of the place compared with. */
  readonly place: number;
}

/** Whether the login's place is good enough to compare: city-level coordinates, and no relay in between. */
export function isComparable(login: Login): boolean {
  if (login.lat === null || login.lon === null || login.city === null || login.proxy) return false;
  return login.radiusKm === null || login.radiusKm <= travelLimits.radiusMaxKm;
}

/** The place nearest in time, the later one of two equally near; -1 for none. */
function nearestInTime(places: Places, timeUnixMs: number): number {
  let nearest = -1;
  let nearestGap = Infinity;
  for (let i = 0; i < places.time.length; i++) {
    const gap = Math.abs(timeUnixMs - places.time[i]!);
    if (gap < nearestGap) {
      nearest = i;
      nearestGap = gap;
    }
  }
  return nearest;
}

/**
 * Impossible travel between a login and the user's last places; null when there is nothing to compare.
 * The caller adds the gates that need the user's history (ready; not one of the user's own cities).
 */
export function travelOf(places: Places, login: Login): Travel | null {
  if (!isComparable(login)) return null;
  const place = nearestInTime(places, login.timeUnixMs);
  if (place < 0) return null;
  const km = distanceKm(places.lat[place]!, places.lon[place]!, login.lat!, login.lon!);
  const radii = places.radiusKm[place]! + (login.radiusKm ?? travelLimits.radiusUnknownKm);
  const clearKm = Math.max(0, km - radii);
  const hours = Math.max(Math.abs(login.timeUnixMs - places.time[place]!) / hourMs, travelLimits.gapMinHours);
  const speedKmh = clearKm / hours;
  const sameNetwork = login.network !== null && login.network === places.network[place];
  const sameCarrier = login.asn !== null && login.asn === places.asn[place] && login.country === places.country[place];
  const open =
    clearKm >= travelLimits.distanceMinKm && speedKmh >= travelLimits.speedMinKmh && !sameNetwork && !sameCarrier;
  const value = open ? Math.min(5, Math.max(3, 3 + Math.log(speedKmh / travelLimits.speedMinKmh))) : 0;
  return { value, distanceKm: km, speedKmh, place };
}
