import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { typeErrorsOf } from '../mutants/bug-types.ts';
import { plantedBugs } from '../mutants/planted-bugs.ts';
import { simulateBug, simulatedPackages } from '../mutants/planted-simulations.ts';
import { type PlantedBug, tryBug } from '../mutants/planted-tests.ts';
import { copyTree } from '../mutants/source-copy.ts';
import { endingOf } from '../mutants/test-verdict.ts';

const limits = { testMsMax: 30_000, silenceMsMax: 60_000 };
const sum = `export class SumError extends Error { override name = 'SumError'; }
export async function sum(a: number, b: number): Promise<number> {
  return a + b;
}
`;
const sumTest = `import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { sum } from './sum.ts';
describe('sum', () => {
  test('adds', async () => {
    console.log('a test may print');
    await setImmediate();
    assert.equal(await sum(1, 2), 3);
  });
});
`;

/** A bug of the sum: the sum's line with it. */
function bugOf(replace: string): PlantedBug {
  return { name: replace, invariant: 'I5', file: 'sum.ts', find: 'return a + b;', replace, tests: ['sum.test.ts'] };
}

describe('of a bug that tests are to see', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-caught-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'sum.ts'), sum);
    await writeFile(join(folder, 'sum.test.ts'), sumTest);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const plant = (replace: string, more: Partial<PlantedBug> = {}) =>
    tryBug(folder, { ...bugOf(replace), ...more }, limits);

  test('an assertion catches it, and so does an error of our own', async () => {
    assert.deepEqual(await plant('return a - b;'), { caught: true, text: 'adds' });
    assert.deepEqual(await plant('throw new SumError(String(a));'), { caught: true, text: 'adds' });
    assert.deepEqual(await plant('return a + b + 0;'), { caught: false, text: '' });
  });

  test('code that is no code is not caught, whoever notices', async () => {
    assert.match((await plant('return nowhere;')).text, /^broke: adds: ReferenceError: nowhere is not/);
    assert.match((await plant('return a b;')).text, /^broke: sum.test.ts: .*SyntaxError/);
    const noFile = await plant("return (await import('./nowhere.ts')).sum(a, b);");
    assert.match(noFile.text, /^broke: adds: Error.*Cannot find module/);
    const unnamed = await plant('', { find: 'export async function sum', replace: 'async function sum' });
    assert.match(unnamed.text, /^broke: sum.test.ts: SyntaxError: .* does not provide an export named 'sum'/);
    const allowed = await plant('return nowhere;', { mayHang: true, mayThrow: true });
    for (const { caught } of [noFile, unnamed, allowed]) assert.equal(caught, false);
  });

  test('a change that the compiler refuses is told of, and the others are not', async () => {
    const bugs = ['return a - b;', 'return sum(a);', 'return b;'].map(bugOf);
    const wrong = await typeErrorsOf(folder, bugs);
    assert.deepEqual([...wrong.keys()], ['return sum(a);']);
    assert.match(wrong.get('return sum(a);')!, /^sum\.ts\(3,\d+\): error TS2554: /);
    await writeFile(join(folder, 'user.ts'), "import { sum } from './sum.ts';\nexport const three = sum(1, 2);\n");
    const unnamed = { ...bugOf('async function sum'), find: 'export async function sum' };
    await assert.rejects(typeErrorsOf(folder, [unnamed]), /^Error: what is planted does not compile: user\.ts/);
  });

  test('a value that is used as what it is not catches only what may be seen so', async () => {
    const unread = 'return (undefined as unknown as { sum: number }).sum;';
    const thrown = await plant(unread);
    assert.match(thrown.text, /^threw: adds: TypeError/);
    assert.equal(thrown.caught, false);
    assert.deepEqual(await plant(unread, { mayThrow: true }), { caught: true, text: 'threw: adds' });
  });

  test('a test that does not come to its end catches only what may be seen so', async () => {
    const never = 'return new Promise(() => {});';
    assert.match((await plant(never)).text, /^hung: adds: /);
    assert.deepEqual(await plant(never, { mayHang: true }), { caught: true, text: 'hung: adds' });
    const blocked = await tryBug(folder, bugOf('for (;;);'), { ...limits, silenceMsMax: 1_000 });
    assert.deepEqual(blocked, { caught: false, text: 'hung: sum.test.ts: silent for 1000 ms' });
  });
});

test('what is no code is found in assertions, properties and causes', () => {
  const broken = new ReferenceError('x is not defined');
  const asserted = (actual: unknown) => new assert.AssertionError({ message: 'other', actual, expected: null });
  const property = (cause: unknown) => new Error('Property failed after 1 tests', { cause });
  const ending = (cause: unknown) => endingOf({ failureType: 'testCodeFailure', cause });
  const hidden = [asserted(broken), property(broken), new Error(`seed 3: ${broken}`), new AggregateError([broken])];
  for (const cause of [broken, ...hidden]) assert.equal(ending(cause), 'broke');
  assert.equal(ending(asserted([])), 'failed');
  assert.equal(ending(property(asserted(1))), 'failed');
  assert.equal(ending(property(new RangeError('2'))), 'threw');
  assert.equal(ending(new SyntaxError('Unexpected token in JSON at position 1')), 'failed');
  assert.equal(endingOf({ failureType: 'subtestsFailed' }), null);
});

describe('of a bug that a simulation is to see', () => {
  const bug = plantedBugs.find(({ name }) => name === 'rows without a vector')!;
  const applied = plantedBugs.find(({ name }) => name === 'the last record applied is applied again')!;
  let folder = '';
  before(async () => {
    folder = await copyTree(simulatedPackages, []);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('only its checkers catch it', async () => {
    const { caught, text } = await simulateBug(folder, bug, 50);
    assert.equal(caught, true, text);
    const other = await simulateBug(folder, { ...bug, caughtBy: ['I8 stall', 'I7'] }, 50);
    assert.equal(other.caught, false);
    assert.match(other.text, /^\w+ seed \d+: I\d [a-z]+: .*; expected I8 stall, I7$/);
  });

  test('code that is no code is not caught', async () => {
    const { caught, text } = await simulateBug(folder, { ...applied, replace: 'nowhere' }, 50);
    assert.equal(caught, false);
    assert.match(text, /^\w+ seed \d+: ReferenceError: nowhere is not defined; expected /);
  });
});
