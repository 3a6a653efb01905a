import type { ExpectedUser, Recount } from './recount.ts';

/** A user as `holdfast export` prints it; only what is compared. */
export interface ExportedUser {
  readonly user: string;
  readonly events: number;
  readonly successes: number;
  readonly failures: number;
  readonly locations: readonly {
    readonly city: string | null;
    readonly country: string | null;
    readonly count: number;
    readonly successes: number;
    readonly lastSeen: string | null;
  }[];
  readonly noLocation: number;
  readonly otherLocations: number;
  readonly recentCities: readonly string[];
  readonly recentLogins: readonly string[];
}

export interface Comparison {
  /** Records that should be counted and are not: Σ max(0, expected − actual events). */
  lost: number;
  /** Records counted more than once: Σ max(0, actual − expected events). */
  duplicates: number;
  /** Every field that differs, as `user field: expected …, got …`; also users too many, too few, or twice. */
  differences: string[];
}

function locationTexts(user: ExpectedUser): string[] {
  return [...user.locations].map(([pair, row]) => `${pair} ${row.count} ${row.successes} ${row.lastSeen}`).sort();
}

function compareUser(
  actual: ExportedUser,
  expected: ExpectedUser,
  differ: (field: string, a: unknown, b: unknown) => void,
): void {
  const check = (field: string, wanted: unknown, got: unknown): void => {
    if (JSON.stringify(wanted) !== JSON.stringify(got)) differ(field, wanted, got);
  };
  for (const field of ['events', 'successes', 'failures', 'noLocation', 'recentCities', 'recentLogins'] as const) {
    check(field, expected[field], actual[field]);
  }
  const sum = actual.locations.reduce((total, row) => total + row.count, 0);
  check('Σ locations + noLocation + otherLocations', actual.events, sum + actual.noLocation + actual.otherLocations);
  // Beyond the cap, which places have a row depends on the order of arrival.
  if (expected.locations.size > 512) return;
  check('otherLocations', 0, actual.otherLocations);
  const rows = actual.locations
    .map((row) => `${JSON.stringify([row.city, row.country])} ${row.count} ${row.successes} ${row.lastSeen}`)
    .sort();
  check('locations', locationTexts(expected), rows);
}

/** Holds an export against the recount of the log that it came from. */
export function compare(exportedUsers: Iterable<ExportedUser>, reference: Recount): Comparison {
  const result: Comparison = { lost: 0, duplicates: 0, differences: [] };
  const actualEvents = new Map<string, number>();
  for (const actual of exportedUsers) {
    const { user } = actual;
    if (actualEvents.has(user)) result.differences.push(`${user}: exported more than once`);
    actualEvents.set(user, (actualEvents.get(user) ?? 0) + actual.events);
    const expected = reference.users.get(user);
    if (expected === undefined) {
      result.differences.push(`${user}: exported, but no record is hers`);
      continue;
    }
    compareUser(actual, expected, (field, wanted, got) => {
      result.differences.push(`${user} ${field}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
    });
  }
  for (const [user, { events }] of reference.users) {
    if (!actualEvents.has(user)) result.differences.push(`${user}: missing, expected ${events} events`);
    result.lost += Math.max(0, events - (actualEvents.get(user) ?? 0));
  }
  for (const [user, events] of actualEvents) {
    result.duplicates += Math.max(0, events - (reference.users.get(user)?.events ?? 0));
  }
  return result;
}
