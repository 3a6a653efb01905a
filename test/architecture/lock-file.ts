import type { Violation } from './violation.ts';

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/**
 * `npm ci` refuses a lock file in which an optional dependency is missing, and npm leaves those out that its registry
 * doesn't have (builds for other platforms). It also must not bind anybody to one registry.
 */
export function lockViolations(file: string, packages: LockedPackages): Violation[] {
  const found: Violation[] = [];
  for (const [path, { resolved, link, optionalDependencies = {} }] of Object.entries(packages)) {
    if (link !== true && resolved !== undefined) found.push({ file, line: 1, rule: `${path} is bound to ${resolved}` });
    for (const name of Object.keys(optionalDependencies)) {
      if (!isLocked(packages, path, name)) found.push({ file, line: 1, rule: `${path} needs an entry for ${name}` });
    }
  }
  return found;
}

/** Node's way of resolution: the nearest node_modules, from the package's own outwards. */
function isLocked(packages: LockedPackages, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}
