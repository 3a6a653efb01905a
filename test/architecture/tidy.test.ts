import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  isGenerated,
  isTestFile,
  readSources,
  readText,
  root,
  type SourceFile,
  walk,
  workspacePackages,
} from './repository.ts';
import {
  hardLineCap,
  indexViolations,
  lengthViolations,
  longFiles,
  pageViolations,
  softLineCap,
  sourceViolations,
  testViolations,
  wordViolations,
} from './tidy.ts';
import { assertNone, rulesOf } from './violation.ts';

const packages = workspacePackages();
const sources = [...packages.flatMap(({ files }) => files), ...readSources('test'), ...readSources('bench')];

test(`no file is longer than ${softLineCap} lines, but a few central ones`, () => {
  assertNone(sources.flatMap((source) => lengthViolations(source, longFiles)));
});

test('each exception from the length still exists and is still needed', () => {
  for (const path of Object.keys(longFiles)) {
    const source = sources.find((candidate) => candidate.path === path);
    assert.ok(source !== undefined, `${path} is gone: take it off the list in tidy.ts`);
    assert.ok(lengthViolations(source, {}).length > 0, `${path} is short now: take it off the list in tidy.ts`);
  }
});

test('nothing unfinished, no place of one machine, no registry', () => {
  const documents = walk('.')
    .filter((path) => /\.(?:md|json|ya?ml|proto|sh|txt|editorconfig)$|^\.ci\/|\.npmrc$/.test(path))
    .map((path) => ({ path, text: readText(path) }));
  assertNone([...sources, ...documents].flatMap(wordViolations));
});

test('every page that is named exists', () => {
  const pages = walk('.').filter((path) => path.endsWith('.md'));
  const documents = pages.map((path) => ({ path, text: readText(path) }));
  const named = [...sources.filter(({ path }) => !isTestFile(path)), ...documents];
  assertNone(named.flatMap((source) => pageViolations(source, new Set(pages))));
});

test('no test is set aside', () => {
  assertNone(sources.filter(({ path }) => isTestFile(path)).flatMap(testViolations));
});

test('file names, exports and state of modules', () => {
  assertNone(sources.filter(({ path }) => !isGenerated(path)).flatMap(sourceViolations));
});

for (const { folder, files } of packages) {
  test(`${folder} has a README and a face of named exports`, () => {
    assert.ok(existsSync(join(root, folder, 'README.md')), `${folder}/README.md:1: missing`);
    const index = files.find(({ path }) => path === `${folder}/src/index.ts`);
    assert.ok(index !== undefined, `${folder}/src/index.ts:1: missing`);
    assert.ok(!/^export \{\};\s*$/.test(index.text), `${index.path}:1: exports nothing`);
    assertNone(indexViolations(index));
  });
}

const planted = (text: string, path = 'packages/planted/src/planted.ts'): SourceFile => ({ path, text });

test('the checkers see planted untidiness', () => {
  assert.equal(lengthViolations(planted('x\n'.repeat(softLineCap + 1)), {}).length, 1);
  assert.equal(lengthViolations(planted('x\n'.repeat(softLineCap)), {}).length, 0);
  const allowed = { 'packages/planted/src/planted.ts': 'central' };
  assert.equal(lengthViolations(planted('x\n'.repeat(softLineCap + 1)), allowed).length, 0);
  assert.equal(lengthViolations(planted('x\n'.repeat(hardLineCap + 1)), allowed).length, 1);

  const todo = ['// TO', 'DO later'].join('');
  const machine = ['const path = "/wo', 'rk/main";'].join('');
  const sibling = ['npm start ../sha', 'red/data'].join('');
  const folder = ['const path = "/tm', 'p/x";'].join('');
  const registry = ['"resolved": "https://registry', '.example.com/x"'].join('');
  for (const text of [todo, machine, sibling, folder, registry])
    assert.equal(wordViolations(planted(text)).length, 1, text);
  assert.equal(wordViolations(planted(folder, 'packages/planted/src/planted.test.ts')).length, 0);
  assert.equal(wordViolations(planted(machine, 'docs/planted.md')).length, 1);
  assert.deepEqual(wordViolations(planted('// networks do work/rest; see docs/adr')), []);

  const pages = new Set(['docs/PROTOCOL.md']);
  assert.equal(pageViolations(planted('// see OTHER.md'), pages).length, 1);
  assert.deepEqual(pageViolations(planted('// PROTOCOL.md 4.2, docs/PROTOCOL.md'), pages), []);

  for (const text of ['test.only("x", f);', 'test("x", { skip: true }, f);', 't.skip();', 'it.todo("y");']) {
    assert.equal(testViolations(planted(text)).length, 1, text);
  }
  assert.deepEqual(
    testViolations(planted("test('x', { skip: process.platform === 'win32' && 'no SIGSTOP' }, f);")),
    [],
  );

  assert.equal(indexViolations(planted("export * from './a.ts';")).length, 1);
  assert.deepEqual(
    rulesOf(indexViolations(planted("export * from './ports/log.ts';\nexport type * from './a.ts';"))),
    [],
  );

  assert.equal(sourceViolations(planted('', 'packages/planted/src/BadName.ts')).length, 1);
  assert.equal(sourceViolations(planted('', 'packages/planted/src/utils.ts')).length, 1);
  assert.equal(sourceViolations(planted('export default 1;')).length, 1);
  assert.equal(sourceViolations(planted('export default 1;', 'bench/x/some-job.ts')).length, 0);
  assert.equal(sourceViolations(planted('export default 1;', 'bench/x/some.ts')).length, 1);
  assert.equal(sourceViolations(planted('let counter = 0;')).length, 1);
  assert.deepEqual(sourceViolations(planted('const limit = 1;\nfunction f() {\n  let n = 0;\n}')), []);
});
