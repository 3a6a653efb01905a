import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { type ArrowContext, arrowViolations, importCircles, manifestViolations } from './arrows.ts';
import { layers, refuseArrow, testkit } from './layers.ts';
import { type PackageManifest, readJson, type WorkspacePackage, workspacePackages } from './repository.ts';
import { assertNone, rulesOf } from './violation.ts';

const packages = workspacePackages();
const folderOf = new Map(packages.map(({ folder, manifest }) => [manifest.name, folder]));
const context: ArrowContext = {
  workspace: new Set(folderOf.keys()),
  rootDevDependencies: new Set(Object.keys(readJson<PackageManifest>('package.json').devDependencies ?? {})),
};

test('every package has a layer, and every layer a package', () => {
  assert.deepEqual([...folderOf.keys()].sort(), [...Object.keys(layers), testkit].sort());
});

for (const pkg of packages) {
  test(`imports of ${pkg.folder} follow the layers and the manifest`, () => {
    assertNone(arrowViolations(pkg, context));
    assertNone(importCircles(pkg));
  });

  test(`manifest and project references of ${pkg.folder} agree`, () => {
    const { references = [] } = readJson<{ references?: { path: string }[] }>(`${pkg.folder}/tsconfig.json`);
    const folders = references.map(({ path }) => posix.normalize(posix.join(pkg.folder, path)));
    assertNone(manifestViolations(pkg, folders, context, folderOf));
  });
}

function planted(
  name: string,
  folder: string,
  files: Record<string, string>,
  dependencies: string[] = [],
): WorkspacePackage {
  return {
    folder,
    manifest: {
      name,
      exports: { '.': {} },
      dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '0.1.0'])),
      devDependencies: { [testkit]: '0.1.0' },
    },
    files: Object.entries(files).map(([path, text]) => ({ path: `${folder}/${path}`, text })),
  };
}

test('the checker sees planted arrows', () => {
  const cases: [name: string, source: string, dependencies: string[], expected: RegExp][] = [
    ['@holdfast/raft', "import { LeaseTable } from '@holdfast/lease';", ['@holdfast/lease'], /layer 1 .* to layer 1/],
    [
      '@holdfast/lease',
      "export type { Shard } from '@holdfast/engine';",
      ['@holdfast/engine'],
      /layer 1 .* to layer 2/,
    ],
    ['@holdfast/embedded', "import '@holdfast/transport-grpc';", ['@holdfast/transport-grpc'], /layer 3 .* to layer 3/],
    ['@holdfast/access-anomaly', "import '@holdfast/engine';", ['@holdfast/engine'], /may import @holdfast\/sdk/],
    ['@holdfast/engine', "const x = await import('@holdfast/testkit');", [testkit], /tests only/],
    ['@holdfast/engine', "import { a } from '@holdfast/model';", [], /not declared/],
    ['@holdfast/engine', "import { a } from '@holdfast/model/src/ids.ts';", ['@holdfast/model'], /not its inside/],
    ['@holdfast/engine', "import { readFileSync } from 'node:fs';", [], /no Node module/],
    ['@holdfast/engine', "import lodash from 'lodash';", ['lodash'], /may not use lodash/],
    ['@holdfast/engine', "import { a } from '../../model/src/index.ts';", [], /leaves the package/],
    ['@holdfast/engine', "import { a } from './a';", [], /extension/],
    ['@holdfast/engine', "import { a } from './a.test.ts';", [], /test code/],
    ['@holdfast/engine', "import { a } from './gone.ts';", [], /does not exist/],
  ];
  for (const [name, source, dependencies, expected] of cases) {
    const rules = rulesOf(
      arrowViolations(planted(name, 'packages/planted', { 'src/b.ts': source }, dependencies), context),
    );
    assert.equal(rules.length, 1, `${source}: ${rules}`);
    assert.match(rules[0]!, expected);
  }
});

test('the checker lets through what is right, and what only looks like an import', () => {
  const source = [
    "import { a } from '@holdfast/model';",
    "import type { B } from './b.ts';",
    "// import '@holdfast/testkit';",
    'const text = "import x from \'lodash\'";',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test has a template
    'const template = `import y from "lodash" ${text} from "left"`;',
    'const pattern = /from "lodash"/;',
  ].join('\n');
  const files = { 'src/a.ts': source, 'src/b.ts': '', 'src/a.test.ts': "import { x } from '@holdfast/testkit';" };
  assert.deepEqual(
    arrowViolations(planted('@holdfast/engine', 'packages/planted', files, ['@holdfast/model']), context),
    [],
  );
});

test('the checker sees a circle, but not one of types', () => {
  const files = { 'src/a.ts': "import './b.ts';", 'src/b.ts': "import './a.ts';" };
  assert.match(rulesOf(importCircles(planted('@holdfast/engine', 'packages/planted', files)))[0]!, /circle/);
  const types = { 'src/a.ts': "import './b.ts';", 'src/b.ts': "import type { A } from './a.ts';" };
  assert.deepEqual(importCircles(planted('@holdfast/engine', 'packages/planted', types)), []);
});

test('the checker sees a manifest that goes up, and a reference that nothing declares', () => {
  const pkg = planted('@holdfast/lease', 'packages/planted', {}, ['@holdfast/engine']);
  const rules = rulesOf(manifestViolations(pkg, ['packages/raft'], context, folderOf));
  assert.match(rules.join('\n'), /layer 1 .* to layer 2/);
  assert.match(rules.join('\n'), /no reference to packages\/engine/);
  assert.match(rules.join('\n'), /packages\/raft is no dependency/);
});

test("apps and the testkit are nobody's foundation", () => {
  assert.equal(refuseArrow('@holdfast/node', '@holdfast/access-anomaly'), null);
  assert.notEqual(refuseArrow('@holdfast/engine', '@holdfast/access-anomaly'), null);
  assert.notEqual(refuseArrow(testkit, '@holdfast/embedded'), null);
});
