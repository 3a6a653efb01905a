import { type PlainLogin, type RawRecord, readRecord } from './read-record.ts';

/** What a user's aggregates must be, whatever the order of arrival. */
export interface ExpectedUser {
  user: string;
  events: number;
  successes: number;
  failures: number;
  noLocation: number;
  /** By JSON of [city, country]. */
  locations: Map<string, { count: number; successes: number; lastSeen: string | null }>;
  recentCities: string[];
  recentLogins: string[];
}

export interface Recount {
  readonly users: Map<string, ExpectedUser>;
  readonly records: number;
  /** Records that count for nobody, by reason: `skip:no_user`, `dead:bad_json`, ... */
  readonly reasons: Map<string, number>;
}

type Entry = PlainLogin & { partition: number; offset: number };

function summary(user: string, entries: Entry[]): ExpectedUser {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const locations = new Map<string, { count: number; successes: number; latest: number }>();
  let noLocation = 0;
  for (const { city, country, outcome, future, time } of entries) {
    if (city === null && country === null) {
      noLocation++;
      continue;
    }
    const pair = JSON.stringify([city, country]);
    const row = locations.get(pair) ?? { count: 0, successes: 0, latest: Number.NEGATIVE_INFINITY };
    row.count++;
    if (outcome === 'success') row.successes++;
    if (!future) row.latest = Math.max(row.latest, time);
    locations.set(pair, row);
  }
  const timed = entries.filter((entry) => entry.outcome === 'success' && !entry.future);
  timed.sort((a, b) => b.time - a.time || b.partition - a.partition || b.offset - a.offset);
  const cities = new Map<string, string>();
  for (const { city, country } of timed) {
    if (city !== null && cities.size < 10) cities.set(JSON.stringify([city, country]), city);
  }
  return {
    user,
    events: entries.length,
    successes: entries.filter((entry) => entry.outcome === 'success').length,
    failures: entries.filter((entry) => entry.outcome === 'failure').length,
    noLocation,
    locations: new Map(
      [...locations].map(([pair, { count, successes, latest }]) => [
        pair,
        { count, successes, lastSeen: Number.isFinite(latest) ? iso(latest) : null },
      ]),
    ),
    recentCities: [...cities.values()],
    recentLogins: timed.slice(0, 20).map((entry) => iso(entry.time)),
  };
}

/** Counts a whole log again, from its raw bytes. Keeps all logins in memory: meant for checks. */
export function recount(format: string, records: Iterable<RawRecord>): Recount {
  const byUser = new Map<string, Entry[]>();
  const reasons = new Map<string, number>();
  let count = 0;
  for (const record of records) {
    count++;
    const login = readRecord(format, record);
    if (typeof login === 'string') {
      reasons.set(login, (reasons.get(login) ?? 0) + 1);
      continue;
    }
    const entry = { ...login, partition: record.partition, offset: record.offset };
    const entries = byUser.get(login.user);
    if (entries === undefined) byUser.set(login.user, [entry]);
    else entries.push(entry);
  }
  const users = new Map([...byUser].map(([user, entries]) => [user, summary(user, entries)]));
  return { users, records: count, reasons };
}
