import type { Outcome } from './mapping.ts';

/** What is odd about a record's time; anomaly events carry the flags as evidence. */
export type LoginFlag = 'log_time' | 'future_time' | 'out_of_order';

/** One record, whatever its format was. Only these fields survive parsing: no password is kept by accident. */
export interface Login {
  user: string;
  timeUnixMs: number;
  flags: LoginFlag[];
  outcome: Outcome;
  /** Canonical text, without port or zone. */
  ip: string | null;
  /** IPv4 /24 or IPv6 /48 in CIDR form. */
  network: string | null;
  asn: number | null;
  /** Trimmed, NFC, at most 200 characters; so is the country. */
  city: string | null;
  country: string | null;
  /** Degrees; both or neither, never 0,0. */
  lat: number | null;
  lon: number | null;
  /** Accuracy of the coordinates. */
  radiusKm: number | null;
  userAgent: string | null;
  /** `Firefox/Linux`, from the user agent; else the id that the source gives. */
  device: string | null;
  /** Known proxy, VPN, hosting, relay or satellite. */
  proxy: boolean;
  /** False when the source says that no such account exists. */
  accountExists: boolean | null;
}

export type Normalised = Login | { skip: SkipReason } | { dead: DeadReason };

/** Records that are no logins of anybody. */
export const skipReasons = ['empty_line', 'filtered', 'no_user'] as const;
export type SkipReason = (typeof skipReasons)[number];

/** Records that can't be used and are kept as dead letters. */
export const deadReasons = [
  'too_large',
  'not_utf8',
  'too_deep',
  'bad_json',
  'not_object',
  'bad_key',
  'key_too_long',
  'no_time',
] as const;
export type DeadReason = (typeof deadReasons)[number];
