/**
 * Seeds that have failed, with what they found. They run first, before any fresh seed. When the simulation draws
 * otherwise than before, a seed is another history: plant the bug again, and put the seed here that finds it now.
 */
export const corpus: readonly { readonly seed: number; readonly found: string }[] = [
  {
    // Since 1261 the calm begins later than a hand-over lasts: without both rules this one fails again, without either not.
    seed: 204,
    found: 'leadership that was being handed on when the faults ended, to a slow disk, counted as lost without a fault',
  },
  {
    seed: 1261,
    found: 'a leader that stepped down for a silence of before the faults ended counted as one without a fault',
  },
];
