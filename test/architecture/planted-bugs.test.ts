import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gossipBugs } from '../mutants/gossip-bugs.ts';
import { longRunBugs } from '../mutants/long-run-bugs.ts';
import { plantedBugs } from '../mutants/planted-bugs.ts';
import { plantedClusterBugs } from '../mutants/planted-cluster-bugs.ts';
import { plantedControlBugs } from '../mutants/planted-control-bugs.ts';
import { redisBugs } from '../mutants/redis-bugs.ts';
import { startBugs } from '../mutants/start-bugs.ts';
import { unitTestBugs } from '../mutants/unit-test-bugs.ts';

const root = new URL('../../', import.meta.url);

/** Lists name files from the root or, for simulations, below `packages`. */
function placesOf(file: string, text: string): number {
  const url = new URL(file, root);
  return readFileSync(existsSync(url) ? url : new URL(`packages/${file}`, root), 'utf8').split(text).length - 1;
}

/** Planting takes long and is done by command: a change of the code must not make a bug unplantable until then. */
test('every planted bug has its one place in the code', () => {
  const all = [
    unitTestBugs,
    startBugs,
    longRunBugs,
    gossipBugs,
    plantedBugs,
    plantedClusterBugs,
    plantedControlBugs,
    redisBugs,
  ].flat();
  const misplaced = all
    .map(({ name, file, find }) => ({ name, places: placesOf(file, find) }))
    .filter(({ places }) => places !== 1);
  assert.ok(all.length > 100, `${all.length} bugs`);
  assert.deepEqual(misplaced, []);
});
