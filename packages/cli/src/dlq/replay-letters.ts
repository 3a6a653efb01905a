import type { Log, NewRecord } from '@holdfast/engine';
import { compareBytes, errorText } from '@holdfast/model';
import { CliError, failed, toCliError } from '../cli-error.ts';
import { type DeadLetter, letterName } from './dead-letter.ts';
import { originalOf, type StoredRecord } from './stored-records.ts';

/** Header of a record that was a dead letter: that letter's id. */
export const replayHeader = 'replay-of';
/** Produced together, at most. */
const appendRecordsMax = 500;

/**
 * Produces the letters' bytes to their input topics again, each into the partition that it came from, in their order. A
 * replayed record is a new record, with an offset of its own: it counts if it is applied now, and who replays a letter
 * twice has it twice. A letter that has not its record's bytes, and whose record is gone, is left out and named.
 * @throws CliError with the first letter that can't be produced
 */
export class LetterReplay {
  readonly #log: Log;
  readonly #patienceMs: number;
  readonly #waiting: {
    readonly letter: DeadLetter;
    readonly topic: string;
    readonly partition: number;
    record: NewRecord;
  }[] = [];
  readonly #partitions = new Map<string, number | null>();
  /** What was left out, and why. */
  readonly refused: { readonly letter: DeadLetter; readonly why: string }[] = [];
  replayed = 0;

  /** @param patienceMs how long to wait for a record that a letter names */
  constructor(log: Log, patienceMs: number) {
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /**
   * All of them, of which so many were counted before.
   * @throws CliError that says how many are replayed, also when they are not as many as were counted
   */
  async all(letters: AsyncIterable<DeadLetter>, counted: number): Promise<void> {
    try {
      for await (const letter of letters) await this.#add(letter);
      await this.#flush();
    } catch (error) {
      const { exit, code, message } = toCliError(error);
      throw new CliError(exit, code, `${message}; ${this.#countText(counted)}`, { cause: error });
    }
    if (this.replayed + this.refused.length !== counted) {
      throw failed('NOT_REPLAYED', `the letters changed between counting and replaying; ${this.#countText(counted)}`);
    }
  }

  async #add(letter: DeadLetter): Promise<void> {
    const { from, output } = letter;
    if (output !== null) {
      const why = `its record was applied, all but the output for ${output.topic}: again it would count twice`;
      this.refused.push({ letter, why });
      return;
    }
    if (from === null) throw this.#failed(letter, 'it does not say which record it was');
    const count = await this.#partitionsOf(from.topic);
    if (count === null) throw this.#failed(letter, `there is no topic ${from.topic}`);
    const record = await this.#recordOf(letter);
    if (record === null) {
      const why = `it has ${letter.value?.length ?? 0} of ${letter.wholeBytes} bytes, and the input has its record no more`;
      this.refused.push({ letter, why });
      return;
    }
    const partition = from.partition % count;
    const last = this.#waiting.at(-1);
    const isFull = this.#waiting.length >= appendRecordsMax;
    if (isFull || (last !== undefined && (last.topic !== from.topic || last.partition !== partition)))
      await this.#flush();
    this.#waiting.push({ letter, topic: from.topic, partition, record });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    const first = waiting[0];
    if (first === undefined) return;
    const { topic, partition, letter } = first;
    try {
      await this.#log.append(
        topic,
        partition,
        waiting.map(({ record }) => record),
      );
    } catch (error) {
      throw this.#failed(letter, errorText(error), error);
    }
    this.replayed += waiting.length;
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
    return failed('NOT_REPLAYED', `letter ${letterName(letter)} is not replayed: ${why}`, cause);
  }

  /** Replaying those again would count them twice. */
  #countText(counted: number): string {
    return `${this.replayed} of ${counted} are replayed`;
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
