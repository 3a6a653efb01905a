import { type Rng, randomBelow } from '@holdfast/model';

/** The items in an order drawn by chance. */
export function shuffled<T>(rng: Rng, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(randomBelow(rng, left.length), 1)[0]!);
}

export function oneOf<T>(rng: Rng, items: readonly T[]): T {
  return items[randomBelow(rng, items.length)]!;
}

/** Whole number from `least` up to and with `most`. */
export function between(rng: Rng, least: number, most: number): number {
  return least + randomBelow(rng, most - least + 1);
}
