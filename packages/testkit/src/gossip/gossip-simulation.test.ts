import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gossipFaultKinds, runGossipSeed } from './gossip-simulation.ts';

/** Seeds that failed once, and what they found. */
const corpus: readonly number[] = [];

describe('gossip simulation', () => {
  it('keeps I18 to I21 over seeds, and every kind of fault fires', () => {
    const faults: Record<string, number> = {};
    const changes: Record<string, number> = {};
    const first = Number(process.env.GOSSIP_SIM_FIRST ?? 1);
    const seeds = Number(process.env.GOSSIP_SIM_SEEDS ?? 60);
    for (const seed of [...corpus, ...Array.from({ length: seeds }, (_, i) => first + i)]) {
      const result = runGossipSeed(seed);
      for (const [kind, n] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + n;
      for (const [kind, n] of Object.entries(result.changes)) changes[kind] = (changes[kind] ?? 0) + n;
    }
    if (seeds < 50) return;
    for (const kind of gossipFaultKinds) assert.ok((faults[kind] ?? 0) > 0, `${kind} never fired`);
    for (const kind of ['joined', 'suspected', 'died', 'recovered', 'restarted', 'left', 'updated']) {
      assert.ok((changes[kind] ?? 0) > 0, `nothing ${kind}`);
    }
  });

  it('is the same history for the same seed (I24)', () => {
    assert.deepEqual(runGossipSeed(7), runGossipSeed(7));
    assert.notEqual(runGossipSeed(7).traceHash, runGossipSeed(8).traceHash);
  });
});
