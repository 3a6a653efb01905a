import { createHash } from 'node:crypto';
import { cutValueBytes } from '@holdfast/engine';
import { type DeadLetter, type LetterFilter, type LetterPlace, matches } from './dead-letter.ts';
import type { LetterTopic } from './letter-topic.ts';

/**
 * The letters that are meant, partition by partition, oldest first, one of a record: a crash repeats letters, and would
 * have the record twice.
 * @param place the only one; null: all that the filter names
 * @param after only those behind that one, where an earlier replay of the same filter ended
 * @param stop once it is raised, the next letter is the last, meant or not: with it the reading would have gone on
 */
export async function* selectLetters(
  topic: LetterTopic | null,
  place: LetterPlace | null,
  filter: LetterFilter,
  after: LetterPlace | null = null,
  stop: { readonly raised: boolean } = { raised: false },
): AsyncGenerator<DeadLetter> {
  const seen = new SeenLetters();
  for (const { partition, begin, end } of topic?.ranges ?? []) {
    if (place !== null && place.partition !== partition) continue;
    const [from, to] = place === null ? [begin, end] : [Math.max(place.offset, begin), Math.min(place.offset + 1, end)];
    for await (const letter of topic!.letters(partition, from, to)) {
      // Between two letters that are meant there may be millions of others.
      if (stop.raised) return yield letter;
      if (!matches(letter, filter) || !seen.add(letter)) continue;
      // Those before are read all the same: what repeats one of them further on was replayed with it.
      if (after === null || isBehind(letter, after)) yield letter;
    }
  }
}

/** What letters say of a record's bytes: hashes of all and of the first 64 KiB; null: they lack them. */
interface KnownBytes {
  whole: string | null;
  start: string | null;
}

/**
 * Letters are of one record that name its place and have its bytes. Their ids don't tell: they differ by the version of the
 * job, and are the same for another record at that place, of a topic that was made anew.
 */
class SeenLetters {
  /** Of letters that don't say which record it was. */
  readonly #ids = new Set<string>();
  readonly #records = new Map<string, KnownBytes[]>();

  /** @returns false: it repeats one of those before */
  add({ id, job, from, value, wholeBytes }: DeadLetter): boolean {
    if (from === null) {
      const isNew = !this.#ids.has(id);
      if (id !== '') this.#ids.add(id);
      return isNew;
    }
    const length = wholeBytes ?? value?.length ?? 0;
    const place = JSON.stringify([job, from.topic, from.partition, from.offset, length]);
    const bytes = knownBytes(value, wholeBytes !== null);
    const others = this.#records.get(place);
    const same = others?.find((other) => isSame(other, bytes));
    if (same === undefined) {
      if (others === undefined) this.#records.set(place, [bytes]);
      else others.push(bytes);
      return true;
    }
    // A third letter may be of another record, which the first one, being cut, can't tell.
    same.whole ??= bytes.whole;
    same.start ??= bytes.start;
    return false;
  }
}

function knownBytes(value: Uint8Array | null, isCut: boolean): KnownBytes {
  if (isCut) return { whole: null, start: value === null || value.length === 0 ? null : hashOf(value) };
  const whole = value === null ? 'null' : hashOf(value);
  const isLong = value !== null && value.length > cutValueBytes;
  return { whole, start: isLong ? hashOf(value.subarray(0, cutValueBytes)) : whole };
}

/** As far as both say: a record's letter may be cut at one time and not at another, as its topic's limits are changed. */
function isSame(a: KnownBytes, b: KnownBytes): boolean {
  if (a.whole !== null && b.whole !== null) return a.whole === b.whole;
  return a.start === null || b.start === null || a.start === b.start;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

function isBehind({ partition, offset }: LetterPlace, after: LetterPlace): boolean {
  return partition > after.partition || (partition === after.partition && offset > after.offset);
}

/** How many they are. */
export async function countLetters(letters: AsyncIterable<DeadLetter>): Promise<number> {
  let count = 0;
  for await (const _ of letters) count++;
  return count;
}
