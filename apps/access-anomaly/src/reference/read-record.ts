import { Buffer, isUtf8 } from 'node:buffer';

/**
 * Reads one record for the recount. Everything in this folder is written apart from the engine, the mapping and the
 * aggregates, and shares no code with them: a mistake there must not be repeated here.
 */

export interface RawRecord {
  readonly partition: number;
  readonly offset: number;
  /** Append time; NaN when the log keeps none. */
  readonly timestampUnixMs: number;
  readonly value: Uint8Array;
}

/** What the recount needs of a login. */
export interface PlainLogin {
  user: string;
  time: number;
  future: boolean;
  outcome: 'success' | 'failure' | 'unknown';
  city: string | null;
  country: string | null;
}

type Leaf = string | number | boolean;
type Format = {
  users: string[];
  noUser: string[];
  times: string[];
  city: string[];
  country: string[];
  keep: (leaves: Map<string, Leaf[]>) => boolean;
  outcome: (leaves: Map<string, Leaf[]>) => PlainLogin['outcome'];
};

function word(leaves: Map<string, Leaf[]>, path: string): PlainLogin['outcome'] {
  const first = leaves.get(path)?.find((leaf) => leaf !== '');
  return first === 'success' || first === 'failure' ? first : 'unknown';
}

const formats: Record<string, Format> = {
  holdfast: {
    users: ['user'],
    noUser: [''],
    times: ['time'],
    city: ['city'],
    country: ['country'],
    keep: () => true,
    outcome: (leaves) => word(leaves, 'outcome'),
  },
  nginx: {
    users: ['remote_user', 'remote_addr'],
    noUser: ['', '-'],
    times: ['time_iso8601', 'time', 'msec'],
    city: [],
    country: [],
    keep: () => true,
    outcome: (leaves) => {
      const first = leaves.get('status')?.find((leaf) => leaf !== '');
      const status = first === undefined || typeof first === 'boolean' ? Number.NaN : Number(first);
      if (status >= 200 && status <= 399) return 'success';
      return [401, 403, 429].includes(status) ? 'failure' : 'unknown';
    },
  },
  ecs: {
    users: ['user.id', 'user.name', 'user.email'],
    noUser: [''],
    times: ['@timestamp'],
    city: ['source.geo.city_name'],
    country: ['source.geo.country_iso_code'],
    keep: (leaves) => leaves.get('event.category')?.includes('authentication') === true,
    outcome: (leaves) => word(leaves, 'event.outcome'),
  },
};

/** Formats that can be counted again. */
export const referenceFormats: readonly string[] = Object.keys(formats);

/** Collects every scalar under its path with dots, in the order of the document; list elements share a path. */
function collect(value: unknown, path: string, leaves: Map<string, Leaf[]>, depth: number): number {
  if (value === null || typeof value !== 'object') {
    if (value === null) return depth;
    const list = leaves.get(path);
    if (list === undefined) leaves.set(path, [value as Leaf]);
    else list.push(value as Leaf);
    return depth;
  }
  let deepest = depth + 1;
  if (Array.isArray(value)) {
    for (const element of value) deepest = Math.max(deepest, collect(element, path, leaves, depth + 1));
    return deepest;
  }
  for (const key of Object.keys(value)) {
    const below = path === '' ? key : `${path}.${key}`;
    deepest = Math.max(deepest, collect((value as Record<string, unknown>)[key], below, leaves, depth + 1));
  }
  return deepest;
}

const written = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)([.,]\d+)?(?:[Zz]|([+-]\d\d):?(\d\d))$/;

/** A time in milliseconds; NaN when it isn't one. */
function readTime(leaf: Leaf): number {
  if (typeof leaf === 'boolean') return Number.NaN;
  const text = String(leaf).trim();
  if (/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) {
    const number = Number(text);
    if (!(number > 0)) return Number.NaN;
    const ms = number < 100_000_000_000 ? Math.round(number * 1000) : Math.floor(number);
    return ms > 0 && ms <= Date.parse('9999-12-31T23:59:59.999Z') ? ms : Number.NaN;
  }
  const match = written.exec(text);
  if (match === null) return Number.NaN;
  const [, date, clock, seconds, fraction = '', zoneHours, zoneMinutes] = match;
  const leap = seconds === '60';
  const zone = zoneHours === undefined ? 'Z' : `${zoneHours}:${zoneMinutes}`;
  const ms = Date.parse(`${date}T${clock}${leap ? '59' : seconds}${fraction.replace(',', '.').slice(0, 4)}${zone}`);
  // The platform takes a 30th of February for the 2nd of March, and 24:00 for midnight.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || day.toISOString().slice(0, 10) !== date || clock!.startsWith('24')) return Number.NaN;
  const at = leap ? ms + 1000 : ms;
  return at > 0 ? at : Number.NaN;
}

function readPlace(leaves: Map<string, Leaf[]>, paths: string[]): string | null {
  for (const path of paths) {
    for (const leaf of leaves.get(path) ?? []) {
      const text = String(leaf)
        .replace(/\p{Surrogate}/gu, '\ufffd')
        .trim()
        .normalize('NFC');
      if (text !== '') return [...text].slice(0, 200).join('');
    }
  }
  return null;
}

/** The digits of a number that is the user, as they were written. */
function writtenNumbers(text: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? context?.source : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function readUser(format: Format, leaves: Map<string, Leaf[]>, text: string): string | null {
  for (const path of format.users) {
    const leaf = leaves
      .get(path)
      ?.find((value) => typeof value !== 'boolean' && !format.noUser.includes(String(value)));
    if (typeof leaf === 'string') return leaf;
    if (leaf === undefined) continue;
    const exact = new Map<string, Leaf[]>();
    collect(writtenNumbers(text), '', exact, 0);
    const at = leaves.get(path)!.indexOf(leaf);
    return String(exact.get(path)![at]);
  }
  return null;
}

/** A login, or the reason why the record is none: `skip:…` or `dead:…`. */
export function readRecord(formatName: string, record: RawRecord): PlainLogin | string {
  const format = formats[formatName];
  if (format === undefined) throw new Error(`no recount for format ${formatName}`);
  if (record.value.length > 1_048_576) return 'dead:too_large';
  if (!isUtf8(record.value)) return 'dead:not_utf8';
  const text = Buffer.from(record.value).toString('utf8');
  if (/^[ \t\r\n]*$/.test(text)) return 'skip:empty_line';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Broken records are sorted by reason only: deep or not, they count for nobody.
    return 'dead:bad_json';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'dead:not_object';
  const leaves = new Map<string, Leaf[]>();
  let depth = Infinity;
  try {
    depth = collect(parsed, '', leaves, 0);
  } catch {
    // The stack ends long after the limit.
  }
  if (depth > 64) return 'dead:too_deep';
  if (!format.keep(leaves)) return 'skip:filtered';
  const user = readUser(format, leaves, text);
  if (user === null) return 'skip:no_user';
  if (/\p{Surrogate}/u.test(user)) return 'dead:bad_key';
  if (Buffer.byteLength(user) > 1024) return 'dead:key_too_long';
  const times = format.times.flatMap((path) => leaves.get(path) ?? []).map((leaf) => readTime(leaf));
  const time = times.find((ms) => !Number.isNaN(ms)) ?? record.timestampUnixMs;
  if (!(time >= 0 && time <= Date.parse('9999-12-31T23:59:59.999Z'))) return 'dead:no_time';
  return {
    user,
    time,
    future: time - record.timestampUnixMs > 300_000,
    outcome: format.outcome(leaves),
    city: readPlace(leaves, format.city),
    country: readPlace(leaves, format.country),
  };
}
