import { posix } from 'node:path';
import { layers, refuseArrow, testkit, testkitRule } from './layers.ts';
import { isTestFile, type WorkspacePackage } from './repository.ts';
import { importsOf } from './source-text.ts';
import type { Violation } from './violation.ts';

export interface ArrowContext {
  /** Names of all packages of the workspace. */
  readonly workspace: ReadonlySet<string>;
  /** What the root package.json offers to every test. */
  readonly rootDevDependencies: ReadonlySet<string>;
}

/** Checks every import of a package: within the package, to the workspace, to the outside. */
export function arrowViolations(pkg: WorkspacePackage, context: ArrowContext): Violation[] {
  const found: Violation[] = [];
  const paths = new Set(pkg.files.map(({ path }) => path));
  for (const { path, text } of pkg.files) {
    for (const { specifier, line } of importsOf(text)) {
      const rule = specifier.startsWith('.')
        ? refuseRelative(pkg, path, specifier, paths)
        : refuseBare(pkg, path, specifier, context);
      if (rule !== null) found.push({ file: path, line, rule });
    }
  }
  return found;
}

function refuseRelative(
  pkg: WorkspacePackage,
  path: string,
  specifier: string,
  paths: ReadonlySet<string>,
): string | null {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (!target.startsWith(`${pkg.folder}/`)) return `${specifier} leaves the package: import it by its name`;
  if (!/\.[cm]?[jt]s$|\.json$/.test(specifier)) return `${specifier} lacks the file's extension`;
  if (!isTestFile(path) && isTestFile(target)) return `a source imports test code: ${specifier}`;
  if (!isTestFile(path) && path.startsWith(`${pkg.folder}/src/`) && !target.startsWith(`${pkg.folder}/src/`)) {
    return `${specifier} leaves src`;
  }
  if (/\.[cm]?[jt]s$/.test(specifier) && !target.includes('/dist/') && !paths.has(target))
    return `${specifier} does not exist`;
  return null;
}

function refuseBare(pkg: WorkspacePackage, path: string, specifier: string, context: ArrowContext): string | null {
  const { name, dependencies = {}, devDependencies = {}, optionalDependencies = {} } = pkg.manifest;
  const test = isTestFile(path);
  const rule = name === testkit ? testkitRule : layers[name];
  if (rule === undefined) return `${name} has no layer: give it one in test/architecture/layers.ts`;
  if (specifier.startsWith('node:')) {
    return test || rule.node ? null : `${specifier}: layers 0 to 2 know no Node module`;
  }
  const target = packageOf(specifier);
  if (context.workspace.has(target) && specifier !== target) return `${specifier}: import ${target}, not its inside`;
  if (target === name) return `${name} imports itself by name`;
  const declared = target in dependencies || target in optionalDependencies;
  const declaredForTests = declared || target in devDependencies || context.rootDevDependencies.has(target);
  if (!(test ? declaredForTests : declared)) return `${target} is not declared in ${pkg.folder}/package.json`;
  if (test) return null;
  if (context.workspace.has(target)) return refuseArrow(name, target);
  return rule.thirdParty.includes(target) ? null : `${name} may not use ${target} (test/architecture/layers.ts)`;
}

/** Declared dependencies are arrows as well, and the project references have to be the same ones. */
export function manifestViolations(
  pkg: WorkspacePackage,
  references: readonly string[],
  context: ArrowContext,
  folderOf: ReadonlyMap<string, string>,
): Violation[] {
  const found: Violation[] = [];
  const { name, dependencies = {} } = pkg.manifest;
  const rule = name === testkit ? testkitRule : layers[name];
  const complain = (file: string, rule: string) => found.push({ file: `${pkg.folder}/${file}`, line: 1, rule });
  for (const target of Object.keys(dependencies)) {
    const refusal = context.workspace.has(target)
      ? refuseArrow(name, target)
      : rule?.thirdParty.includes(target)
        ? null
        : `${name} may not depend on ${target} (test/architecture/layers.ts)`;
    if (refusal !== null) complain('package.json', refusal);
    const folder = folderOf.get(target);
    if (folder !== undefined && !references.includes(folder)) complain('tsconfig.json', `no reference to ${folder}`);
  }
  for (const reference of references) {
    const target = [...folderOf].find(([, folder]) => folder === reference)?.[0];
    if (target === undefined || !(target in dependencies)) complain('tsconfig.json', `${reference} is no dependency`);
  }
  if (Object.keys(pkg.manifest.exports ?? {}).join() !== '.') complain('package.json', 'exports has to be "." alone');
  return found;
}

/** Circles of imports that exist at run time, within one package. Each is reported once. */
export function importCircles(pkg: WorkspacePackage): Violation[] {
  const arrows = new Map<string, { target: string; line: number }[]>();
  for (const { path, text } of pkg.files) {
    const targets = importsOf(text)
      .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
      .map(({ specifier, line }) => ({ target: posix.normalize(posix.join(posix.dirname(path), specifier)), line }));
    arrows.set(path, targets);
  }
  const found: Violation[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string) => {
    way.push(path);
    for (const { target, line } of arrows.get(path) ?? []) {
      const start = way.indexOf(target);
      if (start >= 0)
        found.push({ file: path, line, rule: `circle of imports: ${[...way.slice(start), target].join(' > ')}` });
      else if (!done.has(target)) visit(target);
    }
    way.pop();
    done.add(path);
  };
  for (const path of arrows.keys()) if (!done.has(path)) visit(path);
  return found;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
