import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { requiredMistakes } from '../mutants/required.ts';
import { allBugs as all, requiredTable } from '../mutants/required-table.ts';

const root = new URL('../../', import.meta.url);

/** Lists name files from the root or, for simulations, below `packages`. */
function placesOf(file: string, text: string): number {
  return readFileSync(urlOf(file), 'utf8').split(text).length - 1;
}

function urlOf(file: string): URL {
  const url = new URL(file, root);
  return existsSync(url) ? url : new URL(`packages/${file}`, root);
}

/** Planting takes long and is done by command: a change of the code must not make a bug unplantable until then. */
test('every planted bug has its one place in the code', () => {
  const misplaced = all
    .map(({ name, file, find }) => ({ name, places: placesOf(file, find) }))
    .filter(({ places }) => places !== 1);
  assert.ok(all.length > 100, `${all.length} bugs`);
  assert.deepEqual(misplaced, []);
});

/** What doesn't parse is caught by any test, and shows nothing. */
test('the code with a planted bug is code', () => {
  const isCode = ({ file, find, replace }: (typeof all)[number]): boolean => {
    if (!file.endsWith('.ts')) return true;
    try {
      stripTypeScriptTypes(readFileSync(urlOf(file), 'utf8').replace(find, () => replace));
      return true;
    } catch {
      return false;
    }
  };
  const broken = all.filter((bug) => !isCode(bug)).map(({ name }) => name);
  assert.deepEqual(broken, []);
});

test('every mistake that has to be planted is, or is said to be impossible, and by what', () => {
  const names = new Set(all.map(({ name }) => name));
  assert.equal(names.size, all.length, 'no two bugs have one name');
  const unknown = requiredMistakes.flatMap(({ bugs }) => bugs).filter((name) => !names.has(name));
  assert.deepEqual(unknown, []);
  const open = requiredMistakes.filter(({ bugs, cannotBe }) => bugs.length === 0 && cannotBe === undefined);
  assert.deepEqual(open, []);
  const moved = requiredMistakes.filter(({ cannotBe }) => cannotBe && !existsSync(new URL(cannotBe.file, root)));
  assert.deepEqual(moved, []);
  assert.equal(requiredTable().match(/^\S/gm)?.length, requiredMistakes.length);
});

test('every planted bug is looked for by something: simulations, or tests that are there', () => {
  const looked = all.filter((bug) => 'tests' in bug);
  assert.ok(looked.every(({ tests }) => tests.length > 0));
  const lost = looked.flatMap(({ tests }) => tests).filter((file) => !existsSync(urlOf(file)));
  assert.deepEqual(lost, []);
});
