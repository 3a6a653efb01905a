import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LockedPackages, lockViolations } from './lock-file.ts';
import { type PackageManifest, readJson, workspacePackages } from './repository.ts';
import { assertNone, rulesOf } from './violation.ts';

type Lock = { readonly packages: LockedPackages & Readonly<Record<string, PackageManifest>> };
const { packages } = readJson<Lock>('package-lock.json');

test('the lock file is whole, and bound to no registry', () => {
  assertNone(lockViolations('package-lock.json', packages));
});

test('the lock file knows the manifests as they are', () => {
  for (const { folder, manifest } of workspacePackages()) {
    const locked = packages[folder];
    assert.ok(locked !== undefined, `package-lock.json:1: ${folder} is missing`);
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
      assert.deepEqual(
        locked[kind] ?? {},
        manifest[kind] ?? {},
        `package-lock.json:1: ${kind} of ${folder} are out of date`,
      );
    }
  }
});

test('the checker sees a lock file without a platform, and one that names a registry', () => {
  const whole: LockedPackages = {
    '': {},
    'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-linux': '1.0.0', b: '1.0.0' } },
    'node_modules/a-linux': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '1.0.0' },
    'node_modules/own': { link: true, resolved: 'packages/own' },
  };
  assert.deepEqual(lockViolations('lock', whole), []);
  const { 'node_modules/a-linux': _, ...holed } = whole;
  assert.match(rulesOf(lockViolations('lock', holed))[0]!, /entry for a-linux/);
  const bound = { ...whole, 'node_modules/c': { version: '1.0.0', resolved: 'https://example.org/c.tgz' } };
  assert.match(rulesOf(lockViolations('lock', bound))[0]!, /bound to/);
});
