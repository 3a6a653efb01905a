import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packagesWithoutNodeTypes, purePackages } from './layers.ts';
import { type CompilerOptions, purityViolations, typeViolations } from './purity.ts';
import { isTestFile, readJson, workspacePackages } from './repository.ts';
import { assertNone, rulesOf } from './violation.ts';

interface Project {
  readonly compilerOptions?: CompilerOptions;
}

const packages = workspacePackages();
const base = readJson<Project>('tsconfig.base.json').compilerOptions ?? {};

for (const pkg of packages) {
  if (purePackages.includes(pkg.manifest.name)) {
    test(`${pkg.folder} is pure`, () => {
      const sources = pkg.files.filter(({ path }) => !isTestFile(path));
      assert.ok(sources.length > 0, 'no source was looked at');
      assertNone(sources.flatMap(purityViolations));
    });
  }
  if (packagesWithoutNodeTypes.includes(pkg.manifest.name)) {
    test(`${pkg.folder} is compiled without types of the host`, () => {
      const own = readJson<Project>(`${pkg.folder}/tsconfig.json`).compilerOptions ?? {};
      assertNone(typeViolations(`${pkg.folder}/tsconfig.json`, own, base));
    });
  }
}

test('the checker sees each planted impurity', () => {
  const planted: Record<string, string> = {
    'const at = Date.now();': 'Date',
    'const at = new Date();': 'Date',
    'const x = Math.random();': 'Math.random',
    'const x = Math\n  .random();': 'Math.random',
    'setTimeout(f, 10);': 'setTimeout',
    'setInterval(f, 10);': 'setInterval',
    'queueMicrotask(f);': 'queueMicrotask',
    'const test = process.env.NODE_ENV;': 'process',
    'const b = Buffer.from(bytes);': 'Buffer',
    'console.log(x);': 'console',
    'const t = performance.now();': 'performance',
    'const id = crypto.randomUUID();': 'crypto',
    'fetch(url);': 'fetch',
    'new Intl.Collator();': 'Intl',
    'n.toLocaleString();': '.toLocaleString',
    'a.sort((x, y) => x.localeCompare(y));': '.localeCompare',
    'new WeakRef(x);': 'WeakRef',
    'const f = async () => 1;': 'async',
    'const x = await y;': 'await',
    'return Promise.resolve(1);': 'Promise',
    'globalThis.x = 1;': 'globalThis',
    'const text = `at ${Date.now()} now`;': 'Date',
    "const m = import('./x.ts');": 'a dynamic import',
    "import { readFileSync } from 'node:fs';": 'node:fs',
    "import { z } from 'zod';": 'zod',
  };
  for (const [text, what] of Object.entries(planted)) {
    const rules = rulesOf(purityViolations({ path: 'planted.ts', text }));
    assert.ok(
      rules.some((rule) => rule.endsWith(` ${what}`)),
      `${text}: found ${JSON.stringify(rules)}`,
    );
  }
});

test('the checker passes over words in comments, strings, members and keys', () => {
  const text = [
    '// Date.now() would be wrong here; await neither',
    '/** setTimeout */',
    "const words = 'process.exit Buffer';",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source under test has a template
    'const other = `console.log ${words} Math.random`;',
    'const pattern = /Date|process/;',
    'const half = total / 2; const text = "Date" / 1;',
    'interface Options { readonly process: number; crypto?: boolean }',
    'machine.process(1); this.fetch();',
    "import { assert } from '@holdfast/model';",
    "import type { A } from './a.ts';",
    'const updatedAt = candidate + validate;',
  ].join('\n');
  assert.deepEqual(purityViolations({ path: 'planted.ts', text }), []);
});

test('the checker sees a project that lets the host in', () => {
  assert.equal(typeViolations('t', { types: ['node'] }, base).length, 1);
  assert.equal(typeViolations('t', { lib: ['ES2023', 'DOM'] }, base).length, 1);
  assert.equal(typeViolations('t', {}, {}).length, 2);
  assert.deepEqual(typeViolations('t', {}, base), []);
});
