import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fireRound } from './support/fire-round.ts';

const rounds = Number(process.env.HOLDFAST_FIRE_ROUNDS ?? 3);
const firstSeed = Number(process.env.HOLDFAST_FIRE_SEED ?? 1);
const records = 200_000;
const roundMs = 900_000;
/** Chance decides whether a round meets everything; it mostly does. */
const roundsMax = Math.ceil(rounds * 1.5) + 1;

test(`${rounds} rounds under fire count every record once`, { timeout: roundsMax * roundMs }, async (t) => {
  let counted = 0;
  for (let seed = firstSeed; counted < rounds; seed++) {
    assert.ok(seed < firstSeed + roundsMax, `${counted} of ${roundsMax} rounds met every kind of event`);
    await t.test(`round ${seed}`, { timeout: roundMs }, async (t) => {
      const startMs = performance.now();
      const say = (text: string) => t.diagnostic(`${((performance.now() - startMs) / 1000).toFixed(1)} s  ${text}`);
      const result = await fireRound({ seed, records, users: 20_000, say });
      assert.deepEqual(result.differences.slice(0, 5), []);
      assert.ok(result.records >= records);
      assert.equal(result.lost, 0);
      assert.equal(result.duplicates, 0);
      assert.deepEqual(result.missingRows, [], 'every status shows every node');
      t.diagnostic(JSON.stringify(result.evidence));
      // A round shows something only if all that may lose or repeat records was met in it.
      const missing = Object.entries(result.evidence).filter(([, count]) => count === 0);
      if (missing.length === 0) counted++;
      else t.diagnostic(`correct, but does not count: it met no ${missing.map(([name]) => name).join(', ')}`);
    });
  }
  t.diagnostic(`${counted} rounds count`);
});
