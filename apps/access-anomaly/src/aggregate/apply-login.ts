import type { Login } from '../mapping/login.ts';
import { insertBounded } from './columns.ts';
import { addLatest } from './latest.ts';
import { addLocation } from './locations.ts';
import type { Position } from './position.ts';
import { addRecentCity } from './recent-cities.ts';
import { addRecentValue } from './recent-values.ts';
import { type AnomalyLevel, anomaliesKeptMax, recentLoginsMax, type UserState } from './user-state.ts';

/**
 * Adds a login to the aggregates, in place. A record whose time lies ahead of its arrival counts in totals and places
 * only, or one wrong clock would hold the top of every recent list for ever.
 */
export function applyLogin(state: UserState, login: Login, at: Position): void {
  const timed = !login.flags.includes('future_time');
  const success = login.outcome === 'success';
  state.events++;
  if (success) state.successes++;
  else if (login.outcome === 'failure') state.failures++;
  if (login.city === null && login.country === null) state.noLocation++;
  else {
    const seen = timed ? login.timeUnixMs : null;
    state.otherLocations += addLocation(state.locations, login.city, login.country, success, seen);
  }
  if (!timed) return;
  if (success) {
    addLatest(state.recentLogins, login.timeUnixMs, at, recentLoginsMax);
    if (login.city !== null) addRecentCity(state.recentCities, login.city, login.country, login.timeUnixMs, at);
  }
  if (login.network !== null) addRecentValue(state.recentNetworks, login.network, login.timeUnixMs);
  if (login.device !== null) addRecentValue(state.recentDevices, login.device, login.timeUnixMs);
}

/** Notes an anomaly event that was emitted, newest first. */
export function noteAnomaly(state: UserState, id: string, timeUnixMs: number, level: AnomalyLevel): void {
  const trail = state.anomalies;
  trail.total++;
  trail.id = insertBounded(trail.id, 0, id, anomaliesKeptMax);
  trail.time = insertBounded(trail.time, 0, timeUnixMs, anomaliesKeptMax);
  trail.level = insertBounded(trail.level, 0, level, anomaliesKeptMax);
}
