import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordSimulation } from './simulation.ts';

const seeds = Number(process.env.HOLDFAST_SIM_SEEDS ?? 2_000);
const first = Number(process.env.HOLDFAST_SIM_SEED ?? 1);

test(`the record protocol holds over ${seeds} seeds from ${first}`, () => {
  const faults: Record<string, number> = {};
  const failures: string[] = [];
  for (let seed = first; seed < first + seeds && failures.length < 3; seed++) {
    const simulation = new RecordSimulation(seed);
    try {
      const result = simulation.run();
      for (const [name, n] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + n;
    } catch (error) {
      if (seeds === 1) for (const line of simulation.trace) console.log(line);
      failures.push(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  assert.deepEqual(failures, []);
  if (seeds >= 1_000) {
    const kinds = [
      'crash',
      'expire',
      'force',
      'break',
      'close',
      'loseReply',
      'movePartition',
      'dropProposal',
      'loseStore',
    ];
    for (const kind of kinds) assert.ok((faults[kind] ?? 0) > 0, `the fault ${kind} never fired`);
  }
});
