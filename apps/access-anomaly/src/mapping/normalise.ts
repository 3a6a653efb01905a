import { parseIsoTime, timeMaxUnixMs } from '../iso-time.ts';
import { type Address, parseAddress } from './address.ts';
import { type Coordinates, coordinates, coordinatesOfPoint, numberOf } from './coordinates.ts';
import { DeviceNames } from './device.ts';
import { type CompiledPath, compilePath, visitPath } from './json-path.ts';
import type { LoginFlag, Normalised } from './login.ts';
import type { FieldName, FieldSource, Mapping, Outcome, TimeFormat, ValueTest } from './mapping.ts';

/** A clock may be ahead of the log's by so much; beyond, the record's time is not believed. */
export const clockSkewMaxMs = 5 * 60_000;

/** Longest city, country and the like that is kept: state per user stays bounded whatever a record holds. */
export const textLengthMax = 200;
const userAgentLengthMax = 512;

/** Text of a scalar: strings as they are, numbers and booleans in JSON's form; null for the rest. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Trimmed, NFC, well-formed and cut to so many characters; null when nothing is left. */
export function cleanText(text: string, lengthMax = textLengthMax): string | null {
  let clean = text.trim();
  if (/[^ -~]/.test(clean)) clean = clean.replace(/\p{Surrogate}/gu, '\ufffd').normalize('NFC');
  if (clean.length > lengthMax) clean = [...clean.slice(0, 2 * lengthMax)].slice(0, lengthMax).join('');
  return clean === '' ? null : clean;
}

/**
 * Time written by a log, in milliseconds since 1970; NaN when it isn't usable. 0 or less means unset, as a number and as
 * text: programs write their zero value, `0001-01-01T00:00:00Z` or `1970-01-01T00:00:00Z`, where they know no time.
 */
export function parseTimeValue(value: unknown, format: TimeFormat): number {
  let unixMs = Number.NaN;
  const number = format === 'iso' || format === 'iso-utc' ? Number.NaN : numberOf(value);
  if (number > 0) {
    const seconds = format === 's' || (format === 'auto' && number < 1e11);
    unixMs = seconds ? Math.round(number * 1000) : Math.trunc(number);
  } else if (typeof value === 'string' && format !== 's' && format !== 'ms') {
    unixMs = parseIsoTime(value.trim(), format === 'iso-utc');
  }
  return unixMs > 0 && unixMs <= timeMaxUnixMs ? unixMs : Number.NaN;
}

function passes(value: unknown, tests: readonly ValueTest[]): boolean {
  for (const test of tests) {
    if (typeof test === 'object') {
      const number = numberOf(value);
      if (number >= test.from && number <= test.to) return true;
    } else if (scalarText(value) === String(test)) return true;
  }
  return false;
}

interface CompiledField {
  readonly paths: readonly CompiledPath[];
  readonly empty: readonly string[];
}

function compileField(source: FieldSource | undefined): CompiledField {
  return { paths: (source?.paths ?? []).map((path) => compilePath(path)), empty: source?.empty ?? [] };
}

/** Turns parsed records into logins by a mapping. Keeps no state but a cache of device names. */
export class Normaliser {
  readonly #mapping: Mapping;
  readonly #fields = new Map<FieldName, CompiledField>();
  readonly #filter: readonly { path: CompiledPath; anyOf: ReadonlySet<string> }[];
  readonly #outcomePaths: readonly CompiledPath[];
  readonly #devices = new DeviceNames();

  constructor(mapping: Mapping) {
    this.#mapping = mapping;
    for (const [name, source] of Object.entries(mapping.fields)) {
      this.#fields.set(name as FieldName, compileField(source));
    }
    this.#filter = mapping.filter.map((test) => ({ path: compilePath(test.path), anyOf: new Set(test.anyOf) }));
    this.#outcomePaths = mapping.outcome.paths.map((path) => compilePath(path));
  }

  /** Whether all filter tests pass. */
  matchesFilter(record: object): boolean {
    return this.#filter.every(({ path, anyOf }) =>
      visitPath(record, path, (value) => {
        const text = scalarText(value);
        return text !== null && anyOf.has(text);
      }),
    );
  }

  /** First value of a field that `use` accepts; empty ones are passed over. */
  #find(record: object, name: FieldName, use: (value: unknown) => boolean, wholeArrays = false): boolean {
    const field = this.#fields.get(name);
    if (field === undefined) return false;
    const offer = (value: unknown): boolean => {
      if (value === '' || (typeof value === 'string' && field.empty.includes(value))) return false;
      return use(value);
    };
    return field.paths.some((path) => visitPath(record, path, offer, wholeArrays));
  }

  #text(record: object, name: FieldName, lengthMax = textLengthMax): string | null {
    let found: string | null = null;
    this.#find(record, name, (value) => {
      const text = scalarText(value);
      found = text === null ? null : cleanText(text, lengthMax);
      return found !== null;
    });
    return found;
  }

  #number(record: object, name: FieldName): number {
    let found = Number.NaN;
    this.#find(record, name, (value) => !Number.isNaN((found = numberOf(value))));
    return found;
  }

  #boolean(record: object, name: FieldName): boolean | null {
    let found: boolean | null = null;
    this.#find(record, name, (value) => {
      const text = scalarText(value);
      if (text === 'true' || text === 'false') found = text === 'true';
      return found !== null;
    });
    return found;
  }

  /** The user exactly as written; null when there is none. */
  userValue(record: object): string | number | null {
    let found: string | number | null = null;
    this.#find(record, 'user', (value) => {
      if (typeof value !== 'string' && typeof value !== 'number') return false;
      found = value;
      return true;
    });
    return found;
  }

  #time(record: object): number {
    let found = Number.NaN;
    this.#find(record, 'time', (value) => !Number.isNaN((found = parseTimeValue(value, this.#mapping.timeFormat))));
    return found;
  }

  #outcome(record: object): Outcome {
    const { success, failure, otherwise } = this.#mapping.outcome;
    let outcome = otherwise;
    const decide = (value: unknown): boolean => {
      const text = scalarText(value);
      if (text === null || text === '') return false;
      outcome = passes(value, success) ? 'success' : passes(value, failure) ? 'failure' : otherwise;
      return true;
    };
    this.#outcomePaths.some((path) => visitPath(record, path, decide));
    return outcome;
  }

  #coordinates(record: object): Coordinates | null {
    const direct = coordinates(this.#number(record, 'lat'), this.#number(record, 'lon'));
    if (direct !== null) return direct;
    let found: Coordinates | null = null;
    this.#find(record, 'point', (value) => (found = coordinatesOfPoint(value)) !== null, true);
    return found;
  }

  /**
   * @param record a parsed JSON object
   * @param appendTimeUnixMs when the log took the record in; NaN when it doesn't say
   * @param key the user's key, where the caller has it; a numeric user of many digits is exact only in there
   */
  normalise(record: object, appendTimeUnixMs: number, key?: string): Normalised {
    if (!this.matchesFilter(record)) return { skip: 'filtered' };
    const user = this.userValue(record);
    if (user === null) return { skip: 'no_user' };
    const flags: LoginFlag[] = [];
    let timeUnixMs = this.#time(record);
    if (Number.isNaN(timeUnixMs)) {
      // A producer may have put micro- or nanoseconds there.
      if (!(appendTimeUnixMs >= 0 && appendTimeUnixMs <= timeMaxUnixMs)) return { dead: 'no_time' };
      timeUnixMs = appendTimeUnixMs;
      flags.push('log_time');
    }
    if (timeUnixMs > appendTimeUnixMs + clockSkewMaxMs) flags.push('future_time');
    let address: Address | null = null;
    this.#find(record, 'ip', (value) => typeof value === 'string' && (address = parseAddress(value)) !== null);
    const at = this.#coordinates(record);
    const radiusKm = this.#number(record, 'radiusKm');
    const asn = this.#number(record, 'asn');
    const userAgent = this.#text(record, 'userAgent', userAgentLengthMax);
    const known = address as Address | null;
    return {
      user: key ?? String(user),
      timeUnixMs,
      flags,
      outcome: this.#outcome(record),
      ip: known?.ip ?? null,
      network: known?.network ?? null,
      asn: Number.isSafeInteger(asn) && asn > 0 ? asn : null,
      city: this.#text(record, 'city'),
      country: this.#text(record, 'country'),
      lat: at?.lat ?? null,
      lon: at?.lon ?? null,
      radiusKm: radiusKm >= 0 ? radiusKm : null,
      userAgent,
      device: userAgent === null ? this.#text(record, 'deviceId') : this.#devices.nameOf(userAgent),
      proxy: this.#boolean(record, 'proxy') === true,
      accountExists: this.#boolean(record, 'accountExists'),
    };
  }
}

/** One record by a mapping; where many records come, keep a `Normaliser`. */
export function normalise(mapping: Mapping, record: object, appendTimeUnixMs: number): Normalised {
  return new Normaliser(mapping).normalise(record, appendTimeUnixMs);
}
