/** Where a record lies: partition and offset in a topic. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A record of the dead-letter topic, as its headers explain it. */
export interface DeadLetter {
  readonly partition: number;
  readonly offset: number;
  /** NaN: the log keeps no times. */
  readonly atUnixMs: number;
  /**
   * The same for each publication of one record's failure under one version of the job. A topic that was made anew has
   * other records at the same places: their letters have these ids again.
   */
  readonly id: string;
  readonly reason: string;
  readonly job: string;
  readonly version: string;
  /** The record that failed; null where a letter doesn't say. */
  readonly from: Place | null;
  /** Set: no record failed, but an output of so many bytes (null: it doesn't say), which that topic refused. */
  readonly output: { readonly topic: string; readonly bytes: number | null } | null;
  /**
   * Whose key this is: the record's own, or the user's, under which its holder had it; `cut`: the letter has neither key
   * nor headers of the record.
   */
  readonly keyIs: 'record' | 'user' | 'cut';
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Bytes of the whole value, of which the letter has only the first; NaN: it doesn't say how many; null: it has all. */
  readonly wholeBytes: number | null;
  /** The record's own headers, where its key is its own. */
  readonly ownHeaders: Readonly<Record<string, string>>;
}

/** Where a letter lies in the topic of dead letters. */
export interface LetterPlace {
  readonly partition: number;
  readonly offset: number;
}

/** One letter in words and columns: `0@12`. */
export function letterName({ partition, offset }: LetterPlace): string {
  return `${partition}@${offset}`;
}

/** Null: not of that form. */
export function parseLetterName(text: string): LetterPlace | null {
  const match = /^(\d{1,6})@(\d{1,15})$/.exec(text);
  return match === null ? null : { partition: Number(match[1]), offset: Number(match[2]) };
}

/** Which letters are meant; all where nothing is said. */
export interface LetterFilter {
  readonly reason?: string;
  /** Input topic. */
  readonly topic?: string;
  readonly job?: string;
}

export function matches(letter: DeadLetter, { reason, topic, job }: LetterFilter): boolean {
  return (
    (reason === undefined || letter.reason === reason) &&
    (topic === undefined || letter.from?.topic === topic) &&
    (job === undefined || letter.job === job)
  );
}
