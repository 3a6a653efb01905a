import type { JobRecord, KeyLocator } from '@holdfast/processor';

/**
 * On what `skip` and `dead` give. Not their classes: a job may bring a copy of this package of its own, whose classes are
 * others. No JSON has a property of this name.
 */
export const refusal = Symbol.for('holdfast/refusal');

/** A record passed over on purpose. Reasons are short codes: they are counted. */
export class Skip {
  readonly [refusal] = 'skip';
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A record that can't be used: a dead letter. */
export class Dead {
  readonly [refusal] = 'dead';
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Whether a `parse` gave an event or refused its record. */
export function isRefusal(value: unknown): value is Skip | Dead {
  return typeof value === 'object' && value !== null && (value as Partial<Dead>)[refusal] !== undefined;
}

/** For a hand-written `parse`: this record is none of the job's business. */
export const skip = (reason: string): Skip => new Skip(reason);
/** For a hand-written `parse`: this record is broken. */
export const dead = (reason: string): Dead => new Dead(reason);

/** What a reader says of a record. The reader may reuse the object: it is looked at once. */
export type ReadResult<T> = { readonly value: T } | { readonly skip: string } | { readonly dead: string };

/**
 * A hand-written reader of raw records, for inputs where speed counts: it finds the key without parsing the rest,
 * and parses without text in between. `parse` may reuse the value it returns, and may look at the whole record.
 * A throw is a dead letter.
 */
export interface RecordReader<T> {
  newKeyLocator(topic: string): KeyLocator;
  parse(record: JobRecord): ReadResult<T>;
}
