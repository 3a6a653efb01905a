import type { DeepReadonly } from '@holdfast/sdk';
import type { UserState } from './aggregate/user-state.ts';
import { formatIsoTime } from './iso-time.ts';

/** A user's aggregates as `holdfast export` and `holdfast user get` print them. Times are ISO 8601 in UTC. */
export interface UserView {
  user: string;
  events: number;
  successes: number;
  failures: number;
  /** Most records first; equal ones by country and city. */
  locations: {
    city: string | null;
    country: string | null;
    count: number;
    successes: number;
    lastSeen: string | null;
  }[];
  noLocation: number;
  otherLocations: number;
  /** Distinct cities by latest success, newest first. */
  recentCities: string[];
  /** Times of the latest successes, newest first. */
  recentLogins: string[];
  recentNetworks: { network: string; count: number; lastSeen: string }[];
  recentDevices: { device: string; count: number; lastSeen: string }[];
  anomalies: { total: number; last: { id: string; time: string; level: string }[] };
}

function compareText(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null || a < b ? -1 : 1;
}

export function viewUser(state: DeepReadonly<UserState>, user: string): UserView {
  const { locations, recentNetworks, recentDevices, anomalies } = state;
  const rows = locations.city.map((city, i) => ({
    city,
    country: locations.country[i]!,
    count: locations.count[i]!,
    successes: locations.successes[i]!,
    lastSeen: locations.lastSeen[i] === null ? null : formatIsoTime(locations.lastSeen[i]!),
  }));
  rows.sort((a, b) => b.count - a.count || compareText(a.country, b.country) || compareText(a.city, b.city));
  return {
    user,
    events: state.events,
    successes: state.successes,
    failures: state.failures,
    locations: rows,
    noLocation: state.noLocation,
    otherLocations: state.otherLocations,
    recentCities: [...state.recentCities.city],
    recentLogins: state.recentLogins.time.map((time) => formatIsoTime(time)),
    recentNetworks: recentNetworks.value.map((network, i) => ({
      network,
      count: recentNetworks.count[i]!,
      lastSeen: formatIsoTime(recentNetworks.lastSeen[i]!),
    })),
    recentDevices: recentDevices.value.map((device, i) => ({
      device,
      count: recentDevices.count[i]!,
      lastSeen: formatIsoTime(recentDevices.lastSeen[i]!),
    })),
    anomalies: {
      total: anomalies.total,
      last: anomalies.id.map((id, i) => ({
        id,
        time: formatIsoTime(anomalies.time[i]!),
        level: anomalies.level[i]!,
      })),
    },
  };
}
