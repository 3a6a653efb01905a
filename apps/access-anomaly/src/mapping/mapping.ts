/**
 * A mapping says where a log format keeps what a login needs. It is plain data, so that a user can write her own in YAML.
 *
 * A path has dots: `source.geo.city_name`. It is looked up nested, and also where keys themselves contain dots
 * (`{"source.geo": {"city_name": ..}}`); arrays on the way are entered, element by element.
 */

/** Fields that a mapping can fill. */
export const fieldNames = [
  'user',
  'time',
  'ip',
  'city',
  'country',
  'lat',
  'lon',
  'point',
  'radiusKm',
  'asn',
  'userAgent',
  'deviceId',
  'proxy',
  'accountExists',
] as const;
export type FieldName = (typeof fieldNames)[number];

/** How times are written. `auto`: ISO with zone, or a number of seconds (below 1e11) or milliseconds. */
export const timeFormats = ['auto', 'iso', 'iso-utc', 's', 'ms'] as const;
export type TimeFormat = (typeof timeFormats)[number];

export interface FieldSource {
  /** The first path with a value that isn't empty wins. */
  readonly paths: readonly string[];
  /** Texts that count as no value, besides the empty one: nginx writes `-`. */
  readonly empty: readonly string[];
}

export type Outcome = 'success' | 'failure' | 'unknown';

/** A value passes when its text is equal to a test's, or when it is a number in a range, ends included. */
export type ValueTest = string | number | boolean | { readonly from: number; readonly to: number };

/** Passes when any value at the path (in an array: any element) equals one of the texts. */
export interface FilterTest {
  readonly path: string;
  readonly anyOf: readonly string[];
}

export interface OutcomeRule {
  readonly paths: readonly string[];
  readonly success: readonly ValueTest[];
  readonly failure: readonly ValueTest[];
  /** When neither matches, or there is no value. */
  readonly otherwise: Outcome;
}

export interface Mapping {
  readonly name: string;
  /** All must pass; else the record is skipped as `filtered`. */
  readonly filter: readonly FilterTest[];
  readonly fields: Readonly<Partial<Record<FieldName, FieldSource>>> & { readonly user: FieldSource };
  readonly timeFormat: TimeFormat;
  readonly outcome: OutcomeRule;
}
