import { type DeadLetter, type LetterFilter, matches } from './dead-letter.ts';
import type { LetterTopic } from './letter-topic.ts';

/**
 * The letters that are meant, partition by partition, oldest first, each once: a crash repeats letters, and would have
 * the record twice.
 * @param place the only one; null: all that the filter names
 */
export async function* selectLetters(
  topic: LetterTopic | null,
  place: { readonly partition: number; readonly offset: number } | null,
  filter: LetterFilter,
): AsyncGenerator<DeadLetter> {
  const seen = new Set<string>();
  for (const { partition, begin, end } of topic?.ranges ?? []) {
    if (place !== null && place.partition !== partition) continue;
    const [from, to] = place === null ? [begin, end] : [Math.max(place.offset, begin), Math.min(place.offset + 1, end)];
    for await (const letter of topic!.letters(partition, from, to)) {
      if (!matches(letter, filter) || seen.has(letter.id)) continue;
      if (letter.id !== '') seen.add(letter.id);
      yield letter;
    }
  }
}

/** How many they are. */
export async function countLetters(letters: AsyncIterable<DeadLetter>): Promise<number> {
  let count = 0;
  for await (const _ of letters) count++;
  return count;
}
