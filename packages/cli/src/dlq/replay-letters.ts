import { type Log, LogError, type NewRecord } from '@holdfast/engine';
import { compareBytes, errorText } from '@holdfast/model';
import { CliError, failed, toCliError } from '../cli-error.ts';
import { type DeadLetter, letterName } from './dead-letter.ts';
import { originalOf, type StoredRecord } from './stored-records.ts';

/** Header of a record that was a dead letter: that letter's id. */
export const replayHeader = 'replay-of';
/** Produced together, at most: what nobody knows the outcome of, where that fails, has to be looked through by hand. */
const appendRecordsMax = 50;
const appendBytesMax = 4 << 20;

interface Waiting {
  readonly letter: DeadLetter;
  readonly topic: string;
  readonly partition: number;
  readonly record: NewRecord;
}

/**
 * Produces the letters' bytes to their input topics again, each into the partition that it came from, in their order. A
 * replayed record is a new record, with an offset of its own: it counts if it is applied now, and who replays a letter
 * twice has it twice. A letter is left out and named that has not its record's bytes, and whose record is gone, that does
 * not say where its record was, or whose topic is gone.
 * @throws CliError with the first letter whose append fails
 */
export class LetterReplay {
  readonly #log: Log;
  readonly #patienceMs: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #partitions = new Map<string, number | null>();
  /** What was left out, and why. */
  readonly refused: { readonly letter: DeadLetter; readonly why: string }[] = [];
  replayed = 0;
  /** The last that is known to be replayed: all before it are, or were left out. */
  last: DeadLetter | null = null;
  /** Those of an append that failed, of which nobody knows whether the log has them. */
  #unclear: readonly Waiting[] = [];

  /** @param patienceMs how long to wait for a record that a letter names */
  constructor(log: Log, patienceMs: number) {
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /**
   * All of them, of which so many were counted before, or those up to where it is asked to stop.
   * @returns with which it would have gone on; null: it came to its end
   * @throws CliError that says how many are replayed, also when they are not as many as were counted
   */
  async all(
    letters: AsyncIterable<DeadLetter>,
    counted: number,
    stop: { readonly raised: boolean } = { raised: false },
  ): Promise<DeadLetter | null> {
    try {
      for await (const letter of letters) {
        if (stop.raised) return this.#waiting[0]?.letter ?? letter;
        await this.#add(letter);
      }
      if (stop.raised && this.#waiting.length > 0) return this.#waiting[0]!.letter;
      await this.#flush();
    } catch (error) {
      const { exit, code, message } = toCliError(error);
      const text = `${message}; ${this.#countText(counted)}${this.#goOnText()}`;
      throw new CliError(exit, code, text, { cause: error });
    }
    if (this.replayed + this.refused.length !== counted) {
      throw failed('NOT_REPLAYED', `the letters changed between counting and replaying; ${this.#countText(counted)}`);
    }
    return null;
  }

  async #add(letter: DeadLetter): Promise<void> {
    const { from, output } = letter;
    if (output !== null) {
      return this.#refuse(
        letter,
        `its record was applied, all but the output for ${output.topic}: again it would count twice`,
      );
    }
    if (from === null) return this.#refuse(letter, 'it does not say which record it was');
    const count = await this.#partitionsOf(from.topic);
    if (count === null) return this.#refuse(letter, `there is no topic ${from.topic}`);
    const record = await this.#recordOf(letter);
    if (record === null) {
      const has = `it has ${letter.value?.length ?? 0} of ${letter.wholeBytes || '?'} bytes`;
      return this.#refuse(letter, `${has}, and the input has its record no more`);
    }
    const partition = from.partition % count;
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    const last = this.#waiting.at(-1);
    const isFull = this.#waiting.length >= appendRecordsMax || this.#waitingBytes + bytes > appendBytesMax;
    const isElsewhere = last !== undefined && (last.topic !== from.topic || last.partition !== partition);
    if (isFull || isElsewhere) await this.#flush();
    this.#waiting.push({ letter, topic: from.topic, partition, record });
    this.#waitingBytes += bytes;
  }

  /** The others go on: no try of it would ever succeed. */
  #refuse(letter: DeadLetter, why: string): void {
    this.refused.push({ letter, why });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (waiting.length === 0) return;
    const { topic, partition } = waiting[0]!;
    const records = waiting.map(({ record }) => record);
    try {
      await this.#log.append(topic, partition, records);
      this.#done(waiting);
    } catch (error) {
      const appended = error instanceof LogError ? error.appended : 0;
      this.#done(waiting.slice(0, appended));
      const left = waiting.slice(appended);
      if (left.length === 0) return;
      // The port knows of this one alone that what is left was not appended.
      const isClear = error instanceof LogError && error.code === 'RECORD_TOO_LARGE';
      if (!isClear) this.#unclear = left;
      throw this.#failed(left[0]!.letter, errorText(error), error);
    }
  }

  #done(waiting: readonly Waiting[]): void {
    this.replayed += waiting.length;
    this.last = waiting.at(-1)?.letter ?? this.last;
  }

  /**
   * A holder knows the user's key, not the record's: that and its headers are where the record was, if it still is. So is
   * all that a cut letter lacks; null: it isn't there.
   */
  async #recordOf(letter: DeadLetter): Promise<NewRecord | null> {
    const { value, id } = letter;
    if (letter.wholeBytes !== null) {
      const original = await originalOf(this.#log, letter.from!, this.#patienceMs);
      if (original === null || !isCutOf(letter, original)) return null;
      return { key: original.key, value: original.value, headers: { ...original.headers, [replayHeader]: id } };
    }
    if (letter.keyIs === 'record') {
      return { key: letter.key, value, headers: { ...letter.ownHeaders, [replayHeader]: id } };
    }
    const original = await originalOf(this.#log, letter.from!, this.#patienceMs);
    const isSame = original !== null && sameBytes(original.value, value);
    return {
      key: isSame ? original.key : null,
      value,
      headers: { ...(isSame ? original.headers : {}), [replayHeader]: id },
    };
  }

  async #partitionsOf(topic: string): Promise<number | null> {
    let count = this.#partitions.get(topic);
    if (count === undefined) {
      count = (await this.#log.describe(topic))?.partitions ?? null;
      this.#partitions.set(topic, count);
    }
    return count;
  }

  #failed(letter: DeadLetter, why: string, cause?: unknown): CliError {
    const what = this.#unclear.length > 0 ? 'is perhaps not replayed' : 'is not replayed';
    return failed('NOT_REPLAYED', `letter ${letterName(letter)} ${what}: ${why}`, cause);
  }

  /** Replaying those again would count them twice. */
  #countText(counted: number): string {
    const unclear = this.#unclear.length;
    const perhaps = unclear === 0 ? '' : `, perhaps up to ${unclear} more`;
    return `${this.replayed} of ${counted} are replayed${perhaps}`;
  }

  #goOnText(): string {
    const [first, end] = [this.#unclear[0], this.#unclear.at(-1)];
    const begins = this.last === null ? 'the same command' : `--after ${letterName(this.last)}`;
    if (first === undefined || end === undefined) return this.last === null ? '' : `; ${begins} goes on`;
    const names = `${letterName(first.letter)} to ${letterName(end.letter)}`;
    return (
      `: look whether ${first.topic}/${first.partition} ends with records whose ${replayHeader} is of ${names}; ` +
      `${begins} goes on with these, --after LETTER behind one of them`
    );
  }
}

function isCutOf({ value, wholeBytes }: DeadLetter, original: StoredRecord): boolean {
  const whole = original.value ?? new Uint8Array(0);
  const cut = value ?? new Uint8Array(0);
  return whole.length === wholeBytes && compareBytes(whole.subarray(0, cut.length), cut) === 0;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : compareBytes(a, b) === 0;
}
