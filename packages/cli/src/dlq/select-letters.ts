import { type DeadLetter, type LetterFilter, type LetterPlace, matches } from './dead-letter.ts';
import type { LetterTopic } from './letter-topic.ts';

/**
 * The letters that are meant, partition by partition, oldest first, each once: a crash repeats letters, and would have
 * the record twice.
 * @param place the only one; null: all that the filter names
 * @param after only those behind that one, where an earlier replay of the same filter ended
 */
export async function* selectLetters(
  topic: LetterTopic | null,
  place: LetterPlace | null,
  filter: LetterFilter,
  after: LetterPlace | null = null,
): AsyncGenerator<DeadLetter> {
  const seen = new Set<string>();
  for (const { partition, begin, end } of topic?.ranges ?? []) {
    if (place !== null && place.partition !== partition) continue;
    const [from, to] = place === null ? [begin, end] : [Math.max(place.offset, begin), Math.min(place.offset + 1, end)];
    for await (const letter of topic!.letters(partition, from, to)) {
      if (!matches(letter, filter) || seen.has(letter.id)) continue;
      if (letter.id !== '') seen.add(letter.id);
      // Those before are read all the same: what repeats one of them further on was replayed with it.
      if (after === null || isBehind(letter, after)) yield letter;
    }
  }
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
