import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { faultKinds } from './actions.ts';
import { type ProfileName, profileNames } from './profile.ts';
import { RecordSimulation } from './simulation.ts';

const seedsOf: Readonly<Record<ProfileName, number>> = {
  mixed: 2_000,
  focus: 1_000,
  late: 500,
  voided: 500,
  forced: 500,
};

for (const profile of profileNames) {
  const seeds = seedsOf[profile];
  test(`${profile}: the record protocol holds over ${seeds} seeds, and every kind of fault fires`, () => {
    const faults: Record<string, number> = {};
    const failures: string[] = [];
    for (let seed = 1; seed <= seeds && failures.length < 3; seed++) {
      try {
        const result = new RecordSimulation(seed, profile).run();
        for (const [name, n] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + n;
      } catch (error) {
        const again = `npm run sim -- --profile ${profile} --seed ${seed} --trace`;
        failures.push(`${again}: ${inspect(error)}`);
      }
    }
    assert.deepEqual(failures, []);
    for (const kind of faultKinds) assert.ok((faults[kind] ?? 0) > 0, `the fault ${kind} never fired`);
  });

  test(`${profile}: one seed is one history`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const [first, second] = [new RecordSimulation(seed, profile), new RecordSimulation(seed, profile)];
      assert.deepEqual(first.run().faults, second.run().faults);
      assert.ok(first.trace.length > 50);
      assert.deepEqual(first.trace, second.trace, `seed ${seed}`);
    }
  });
}
