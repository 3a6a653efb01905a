import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runSeeds } from '../simulation/run-seeds.ts';
import { runSeed } from './gossip-simulation.ts';
import { gossipProfile } from './seeds.ts';

describe('gossip simulation', () => {
  it('keeps I18 to I21 over seeds, and every kind of fault fires', async () => {
    const lines: string[] = [];
    const print = (line: string): number => lines.push(line);
    const failed = await runSeeds(gossipProfile, {
      seeds: 60,
      first: 1,
      trace: false,
      stop: true,
      resume: null,
      print,
    });
    assert.equal(failed, 0, lines.join('\n'));
  });

  it('judges false deaths most of the time (I18)', async () => {
    let judgedMs = 0;
    let virtualMs = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { result } = await runSeed(seed, { trace: false, twice: false });
      judgedMs += result!.seen.judgedSeconds! * 1_000;
      virtualMs += result!.virtualMs;
    }
    assert.ok(judgedMs > 0.6 * virtualMs, `${judgedMs} of ${virtualMs} ms`);
  });
});
