import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeed } from './cluster-simulation.ts';
import { corpus } from './corpus.ts';

// `npm run sim -- --profile cluster` runs more, and wants all kinds of faults; this is for a change to be tried soon.
const freshSeeds = 4;
const kindsMin = 25;

test('a whole cluster holds over the corpus and fresh seeds, some twice the same', async () => {
  const faults = new Set<string>();
  const failures: string[] = [];
  const seeds = [...corpus.map(({ seed }) => seed), ...Array.from({ length: freshSeeds }, (_, i) => 1_000 + i)];
  for (const [i, seed] of seeds.entries()) {
    const { failure, result } = await runSeed(seed, { trace: false, twice: i % 4 === 0 });
    if (failure !== null) failures.push(`npm run sim -- --profile cluster --seed ${seed} --trace: ${failure}`);
    for (const kind of Object.keys(result?.faults ?? {})) faults.add(kind);
    for (const name of ['applied', 'rowsAccepted', 'offsetsCommitted', 'marks', 'usersCompared', 'replayed'])
      assert.ok(result === null || result.seen[name]! > 0, `${name} of seed ${seed}`);
  }
  assert.deepEqual(failures, []);
  assert.ok(faults.size >= kindsMin, `only ${[...faults].join(', ')} fired`);
});
