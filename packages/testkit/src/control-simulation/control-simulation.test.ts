import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultKinds } from '../simulation/fault-kinds.ts';
import { runSeed } from './control-simulation.ts';
import { corpus } from './corpus.ts';

// `npm run sim -- --profile control` runs more, and wants all kinds of faults; this is for a change to be tried soon.
const freshSeeds = 12;
const kindsMin = faultKinds.length - 5;

test('the control plane holds over the corpus and fresh seeds, each twice the same', async () => {
  const faults = new Set<string>();
  const failures: string[] = [];
  const seeds = [...corpus.map(({ seed }) => seed), ...Array.from({ length: freshSeeds }, (_, i) => 1_000 + i)];
  for (const [i, seed] of seeds.entries()) {
    const { failure, result } = await runSeed(seed, { trace: false, twice: i % 8 === 0 });
    if (failure !== null) failures.push(`npm run sim -- --profile control --seed ${seed} --trace: ${failure}`);
    for (const kind of Object.keys(result?.faults ?? {})) faults.add(kind);
    if (result !== null) assert.ok(result.virtualMs >= 120_000);
  }
  assert.deepEqual(failures, []);
  assert.ok(faults.size >= kindsMin, `only ${[...faults].join(', ')} fired`);
});
