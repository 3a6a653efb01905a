/** Seeds that have failed, with what they found. They run first, before any fresh seed. */
export const corpus: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 40,
    found: 'a table that lagged by 12 s showed its node a session whose proof of life was over; its shards opened',
  },
  {
    seed: 152,
    found: 'a node that stopped while its session was being opened said that it held under session 0',
  },
];
