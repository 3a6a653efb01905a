import { createHash } from 'node:crypto';
import { type DeadLetter, type LetterFilter, type LetterPlace, matches } from './dead-letter.ts';
import type { LetterTopic } from './letter-topic.ts';

/**
 * The letters that are meant, partition by partition, oldest first, one of a record: a crash repeats letters, and would
 * have the record twice.
 * @param place the only one; null: all that the filter names
 * @param after only those behind that one, where an earlier replay of the same filter ended
 */
export async function* selectLetters(
  topic: LetterTopic | null,
  place: LetterPlace | null,
  filter: LetterFilter,
  after: LetterPlace | null = null,
): AsyncGenerator<DeadLetter> {
  const ids = new Set<string>();
  const records = new Set<string>();
  for (const { partition, begin, end } of topic?.ranges ?? []) {
    if (place !== null && place.partition !== partition) continue;
    const [from, to] = place === null ? [begin, end] : [Math.max(place.offset, begin), Math.min(place.offset + 1, end)];
    for await (const letter of topic!.letters(partition, from, to)) {
      if (!matches(letter, filter) || ids.has(letter.id)) continue;
      if (letter.id !== '') ids.add(letter.id);
      const record = recordOf(letter);
      if (record !== null && records.has(record)) continue;
      if (record !== null) records.add(record);
      // Those before are read all the same: what repeats one of them further on was replayed with it.
      if (after === null || isBehind(letter, after)) yield letter;
    }
  }
}

/**
 * What a job failed at, whichever version of it: that is in a letter's id. With the record's bytes, since a topic that was
 * made anew has other records at the same offsets. Null: the letter doesn't say.
 */
function recordOf({ job, from, value, wholeBytes }: DeadLetter): string | null {
  if (from === null) return null;
  const sum = value === null ? null : createHash('sha256').update(value).digest('base64');
  return JSON.stringify([job, from.topic, from.partition, from.offset, wholeBytes, sum]);
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
