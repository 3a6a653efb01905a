/**
 * Seeds that have failed, with what they found. They run first, before any fresh seed. When the simulation draws
 * otherwise than before, a seed is another history: plant the bug again, and put the seed here that finds it now.
 */
export const corpus: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 719, found: 'the checker of clean ends took what was applied after a forced release for lost' },
  {
    seed: 65_951_317,
    found: 'a user in quarantine had a record in its state and in a letter, after two stores took turns',
  },
  {
    seed: 158_630_511,
    found: 'the checker of quarantine took a kill at the record of an innocent user for no evidence against it',
  },
  {
    seed: 1_732,
    found:
      'a node that woke up after its session began to read where its successor had committed, and sent that to itself',
  },
  { seed: 1_599, found: 'the checker of session times took a slow clock for as fast as the others' },
  {
    seed: 225_653_837,
    found: 'the checker of session times had not seen yet that a new leader had renewed its own session just in time',
  },
];
