import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fireRound } from './support/fire-round.ts';

const rounds = Number(process.env['HOLDFAST_FIRE_ROUNDS'] ?? 3);
const firstSeed = Number(process.env['HOLDFAST_FIRE_SEED'] ?? 1);
const records = 200_000;

for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
  test(`every record counts once under fire, round ${seed}`, { timeout: 900_000 }, async (t) => {
    const startMs = performance.now();
    const say = (text: string) => t.diagnostic(`${((performance.now() - startMs) / 1000).toFixed(1)} s  ${text}`);
    const result = await fireRound({ seed, records, users: 20_000, say });
    t.diagnostic(JSON.stringify(result.evidence));
    assert.deepEqual(result.differences.slice(0, 5), []);
    assert.ok(result.records >= records);
    assert.equal(result.lost, 0);
    assert.equal(result.duplicates, 0);
    assert.deepEqual(result.missingRows, [], 'every status shows every node');
    for (const [name, count] of Object.entries(result.evidence)) {
      assert.ok(count > 0, `the round met no ${name}, so it does not count`);
    }
  });
}
