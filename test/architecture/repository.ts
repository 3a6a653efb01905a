import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '');

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface PackageManifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Such as `packages/lease`. */
  readonly folder: string;
  readonly manifest: PackageManifest;
  readonly files: readonly SourceFile[];
}

const skippedFolders = new Set(['node_modules', 'dist', '.git', '.cache', '.data', '.nx', 'tmp']);

/** Paths of all files below a folder that belong to the repository, not to its tools. */
export function walk(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = relative(root, join(root, folder, entry.name))
      .split(sep)
      .join('/');
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) found.push(...walk(path));
    } else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function readJson<T>(path: string): T {
  return JSON.parse(readText(path)) as T;
}

export function readSources(folder: string): SourceFile[] {
  return walk(folder)
    .filter((path) => /\.(ts|mts|mjs|js)$/.test(path))
    .map((path) => ({ path, text: readText(path) }));
}

/** All packages and applications of the workspace. */
export function workspacePackages(): WorkspacePackage[] {
  return ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => {
        const folder = `${parent}/${entry.name}`;
        return { folder, manifest: readJson<PackageManifest>(`${folder}/package.json`), files: readSources(folder) };
      }),
  );
}

/** Tests and what only tests use: their helpers, fixtures, scripts of the package. */
export function isTestFile(path: string): boolean {
  return (
    /\.test\.ts$/.test(path) ||
    /^(packages|apps)\/[^/]+\/(test|fixtures|testdata|scripts)\//.test(path) ||
    /^(test|bench)\//.test(path)
  );
}

/** Written by a program: no rule about style applies. */
export function isGenerated(path: string): boolean {
  return path.includes('/generated/');
}

/** `lease` for `packages/lease`. */
export function shortName(pkg: WorkspacePackage): string {
  return basename(pkg.folder);
}
