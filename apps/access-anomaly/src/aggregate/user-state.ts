import { initialProfile, type Profile } from '../decide/profile.ts';
import type { Moments } from './latest.ts';
import type { Locations } from './locations.ts';
import type { RecentCities } from './recent-cities.ts';
import type { RecentValues } from './recent-values.ts';

export type AnomalyLevel = 'medium' | 'high';

/** Anomaly events that were emitted; the last few by id. */
export interface AnomalyTrail {
  total: number;
  id: string[];
  time: number[];
  level: AnomalyLevel[];
}

export const anomaliesKeptMax = 5;
export const recentLoginsMax = 20;

/**
 * All that is kept of one user. Plain data, bounded; lists are columns, so that field names are not repeated per row.
 * `events` to `recentLogins` don't depend on the order in which the records arrive.
 */
export interface UserState {
  events: number;
  successes: number;
  failures: number;
  locations: Locations;
  noLocation: number;
  otherLocations: number;
  recentCities: RecentCities;
  recentLogins: Moments;
  recentNetworks: RecentValues;
  recentDevices: RecentValues;
  anomalies: AnomalyTrail;
  profile: Profile;
}

export function initialUserState(): UserState {
  return {
    events: 0,
    successes: 0,
    failures: 0,
    locations: { city: [], country: [], count: [], successes: [], lastSeen: [] },
    noLocation: 0,
    otherLocations: 0,
    recentCities: { time: [], partition: [], offset: [], city: [], country: [] },
    recentLogins: { time: [], partition: [], offset: [] },
    recentNetworks: { value: [], count: [], lastSeen: [] },
    recentDevices: { value: [], count: [], lastSeen: [] },
    anomalies: { total: 0, id: [], time: [], level: [] },
    profile: initialProfile(),
  };
}
