import { Buffer, isUtf8 } from 'node:buffer';
import { nestingDepth, skipSpace } from './json-bytes.ts';
import { compilePath, visitPath } from './json-path.ts';
import type { DeadReason, SkipReason } from './login.ts';
import type { Mapping } from './mapping.ts';
import { Normaliser } from './normalise.ts';

/** Limits of a record, checked before anything is parsed: deep nesting or a huge line must cost nothing. */
export interface RecordLimits {
  readonly recordBytesMax: number;
  readonly recordDepthMax: number;
  readonly keyBytesMax: number;
}

export const defaultRecordLimits: RecordLimits = {
  recordBytesMax: 1024 * 1024,
  recordDepthMax: 64,
  keyBytesMax: 1024,
};

export type ExactKey = { key: Uint8Array } | { skip: SkipReason } | { dead: DeadReason };

/** A number as the record wrote it: beyond 2^53 its value has lost digits, and two users would become one. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Puts the written text in place of each number. */
function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value;
}

/** Parses a record's bytes under the limits: the object, or why there is none. */
export function parseRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: RecordLimits,
): { record: object; text: string } | { skip: SkipReason } | { dead: DeadReason } {
  if (end - start > limits.recordBytesMax) return { dead: 'too_large' };
  if (skipSpace(bytes, start, end) === end) return { skip: 'empty_line' };
  if (!isUtf8(bytes.subarray(start, end))) return { dead: 'not_utf8' };
  if (nestingDepth(bytes, start, end) > limits.recordDepthMax) return { dead: 'too_deep' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return { dead: 'bad_json' };
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return { dead: 'not_object' };
  return { record, text };
}

/** Finds the user's key by parsing the whole record: slow, obvious, and what the byte scanner must agree with. */
export class ExactKeyFinder {
  readonly #normaliser: Normaliser;
  readonly #limits: RecordLimits;
  readonly #emptyTexts: readonly string[];
  readonly #paths: readonly string[];

  constructor(mapping: Mapping, limits: RecordLimits = defaultRecordLimits) {
    this.#normaliser = new Normaliser(mapping);
    this.#limits = limits;
    this.#emptyTexts = mapping.fields.user.empty;
    this.#paths = mapping.fields.user.paths;
  }

  find(bytes: Uint8Array, start: number, end: number): ExactKey {
    const parsed = parseRecord(bytes, start, end, this.#limits);
    if (!('record' in parsed)) return parsed;
    if (!this.#normaliser.matchesFilter(parsed.record)) return { skip: 'filtered' };
    const user = this.#normaliser.userValue(parsed.record);
    if (user === null) return { skip: 'no_user' };
    const key = typeof user === 'string' ? user : this.#numberText(parsed.text);
    if (/\p{Surrogate}/u.test(key)) return { dead: 'bad_key' };
    const keyBytes = new Uint8Array(Buffer.from(key, 'utf8'));
    return keyBytes.length > this.#limits.keyBytesMax ? { dead: 'key_too_long' } : { key: keyBytes };
  }

  #numberText(text: string): string {
    const record = JSON.parse(text, keepNumberText as (key: string, value: unknown) => unknown) as object;
    let found = '';
    for (const path of this.#paths) {
      const done = visitPath(record, compilePath(path), (value) => {
        if (value instanceof NumberText) found = value.text;
        else if (typeof value === 'string' && value !== '' && !this.#emptyTexts.includes(value)) found = value;
        return found !== '';
      });
      if (done) break;
    }
    return found;
  }
}
