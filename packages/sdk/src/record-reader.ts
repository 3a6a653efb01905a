import type { JobRecord, KeyLocator } from '@holdfast/processor';

/** A record passed over on purpose. Reasons are short codes: they are counted. */
export class Skip {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A record that can't be used: a dead letter. */
export class Dead {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
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
