import { builtInMappings } from './built-in.ts';
import { pathSegmentsMax } from './json-path.ts';
import {
  type FieldName,
  type FieldSource,
  type FilterTest,
  fieldNames,
  type Mapping,
  type Outcome,
  type OutcomeRule,
  type TimeFormat,
  timeFormats,
  type ValueTest,
} from './mapping.ts';

/** All that is wrong with a mapping, each with the place in the document. */
export type ParsedMapping = { ok: true; mapping: Mapping } | { ok: false; problems: string[] };

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Edit distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

class Reader {
  readonly problems: string[] = [];

  wrong(at: string, value: unknown, expected: string): void {
    this.problems.push(`${at}: ${show(value)}, expected ${expected}`);
  }

  /** Names unknown keys, with the nearest known one. */
  keys(at: string, object: Fields, known: readonly string[]): void {
    for (const key of Object.keys(object)) {
      if (known.includes(key)) continue;
      const near = known.find((name) => distance(key, name) <= 2);
      const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
      this.problems.push(`${at === '' ? key : `${at}.${key}`}: unknown key; ${hint}`);
    }
  }

  path(at: string, value: unknown): string {
    if (typeof value === 'string' && value !== '' && value.split('.').length <= pathSegmentsMax) return value;
    this.wrong(at, value, `a path of 1 to ${pathSegmentsMax} keys with dots between`);
    return 'x';
  }

  paths(at: string, value: unknown): string[] {
    if (typeof value === 'string') return [this.path(at, value)];
    if (Array.isArray(value) && value.length > 0) return value.map((path, i) => this.path(`${at}[${i}]`, path));
    this.wrong(at, value, 'a path or a list of paths');
    return [];
  }

  texts(at: string, value: unknown): string[] {
    if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
    this.wrong(at, value, 'a list of texts');
    return [];
  }

  scalar(at: string, value: unknown): string {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    this.wrong(at, value, 'a text, a number, true or false');
    return '';
  }

  /** A path, a list of paths, or `{paths, empty}`. */
  field(at: string, value: unknown): FieldSource {
    if (!isObject(value)) return { paths: this.paths(at, value), empty: [] };
    this.keys(at, value, ['paths', 'empty']);
    const empty = value.empty === undefined ? [] : this.texts(`${at}.empty`, value.empty);
    return { paths: this.paths(`${at}.paths`, value.paths), empty };
  }

  /** `{path, equals}`, `{path, in: [..]}` or `{path, contains}`; the last two read better for lists. */
  filterTest(at: string, value: unknown): FilterTest {
    if (!isObject(value)) {
      this.wrong(at, value, 'an object with path and one of equals, in, contains');
      return { path: 'x', anyOf: [] };
    }
    this.keys(at, value, ['path', 'equals', 'in', 'contains']);
    const path = this.path(`${at}.path`, value.path);
    const tests = ['equals', 'in', 'contains'].filter((name) => value[name] !== undefined);
    if (tests.length !== 1) this.wrong(at, value, 'exactly one of equals, in, contains');
    const name = tests[0] ?? 'in';
    const wanted = value[name];
    if (name !== 'in') return { path, anyOf: [this.scalar(`${at}.${name}`, wanted)] };
    if (!Array.isArray(wanted) || wanted.length === 0) {
      // Of an empty one no record would ever pass.
      if (wanted !== undefined) this.wrong(`${at}.in`, wanted, 'a list of at least one');
      return { path, anyOf: [] };
    }
    return { path, anyOf: wanted.map((text, i) => this.scalar(`${at}.in[${i}]`, text)) };
  }

  valueTests(at: string, value: unknown): ValueTest[] {
    if (value === undefined) return [];
    const list = Array.isArray(value) ? value : [value];
    return list.map((test, i): ValueTest => {
      if (!isObject(test)) return this.scalar(`${at}[${i}]`, test);
      this.keys(`${at}[${i}]`, test, ['from', 'to']);
      const { from, to } = test;
      if (typeof from === 'number' && typeof to === 'number' && from <= to) return { from, to };
      this.wrong(`${at}[${i}]`, test, 'a range {from, to} of numbers');
      return '';
    });
  }

  outcome(value: unknown): OutcomeRule {
    if (value === undefined) return { paths: [], success: [], failure: [], otherwise: 'unknown' };
    if (!isObject(value)) {
      this.wrong('outcome', value, 'an object with paths, success, failure, default');
      return { paths: [], success: [], failure: [], otherwise: 'unknown' };
    }
    this.keys('outcome', value, ['paths', 'success', 'failure', 'default']);
    let otherwise: Outcome = 'unknown';
    if (value.default === 'success' || value.default === 'failure') otherwise = value.default;
    else if (value.default !== undefined && value.default !== 'unknown') {
      this.wrong('outcome.default', value.default, 'success, failure or unknown');
    }
    const isTested = value.success !== undefined || value.failure !== undefined;
    if (isTested && value.paths === undefined) {
      this.problems.push('outcome.paths: missing; success and failure are tests of what is there');
    }
    if (!isTested && value.paths !== undefined) {
      this.problems.push('outcome: paths without success or failure; nothing there would be tested');
    }
    return {
      paths: value.paths === undefined ? [] : this.paths('outcome.paths', value.paths),
      success: this.valueTests('outcome.success', value.success),
      failure: this.valueTests('outcome.failure', value.failure),
      otherwise,
    };
  }
}

/**
 * Reads a mapping from a parsed YAML or JSON document:
 * `{name, filter: [{path, equals | in | contains}], fields: {user: path | [paths] | {paths, empty}}, timeFormat,
 * outcome: {paths, success, failure, default}}`. Lists every problem, not only the first.
 */
export function parseMapping(document: unknown): ParsedMapping {
  if (!isObject(document)) return { ok: false, problems: [`mapping: ${show(document)}, expected an object`] };
  const reader = new Reader();
  reader.keys('', document, ['name', 'filter', 'fields', 'timeFormat', 'outcome']);
  const name = typeof document.name === 'string' && document.name !== '' ? document.name : null;
  if (name === null) reader.wrong('name', document.name, 'a text');
  const fields: Partial<Record<FieldName, FieldSource>> = {};
  if (isObject(document.fields)) {
    reader.keys('fields', document.fields, fieldNames);
    for (const field of fieldNames) {
      const source = document.fields[field];
      if (source !== undefined) fields[field] = reader.field(`fields.${field}`, source);
    }
    if (document.fields.user === undefined) reader.problems.push('fields.user: missing; every record needs a user');
    for (const [one, other] of [
      ['lat', 'lon'],
      ['lon', 'lat'],
    ] as const) {
      if (fields[one] !== undefined && fields[other] === undefined) {
        reader.problems.push(`fields.${other}: missing; a place needs both, or a point`);
      }
    }
  } else reader.wrong('fields', document.fields, 'an object of fields');
  const timeFormat = (document.timeFormat ?? 'auto') as TimeFormat;
  if (!timeFormats.includes(timeFormat)) reader.wrong('timeFormat', timeFormat, `one of ${timeFormats.join(', ')}`);
  const filterList = document.filter ?? [];
  if (!Array.isArray(filterList)) reader.wrong('filter', filterList, 'a list of tests');
  const filter = Array.isArray(filterList) ? filterList.map((test, i) => reader.filterTest(`filter[${i}]`, test)) : [];
  const outcome = reader.outcome(document.outcome);
  const user = fields.user;
  if (reader.problems.length > 0 || name === null || user === undefined)
    return { ok: false, problems: reader.problems };
  return { ok: true, mapping: { name, filter, fields: { ...fields, user }, timeFormat, outcome } };
}

/** A built-in mapping by name, or a document. */
export function resolveMapping(nameOrDocument: unknown): ParsedMapping {
  if (typeof nameOrDocument !== 'string') return parseMapping(nameOrDocument);
  const mapping = builtInMappings.get(nameOrDocument);
  if (mapping !== undefined) return { ok: true, mapping };
  const known = [...builtInMappings.keys()].join(', ');
  return { ok: false, problems: [`mapping: ${show(nameOrDocument)} is not built in; known are ${known}`] };
}
