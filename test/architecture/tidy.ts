import { basename } from 'node:path';
import { isGenerated, isTestFile, type SourceFile } from './repository.ts';
import { codeOnly, lineAt } from './source-text.ts';
import type { Violation } from './violation.ts';

export const softLineCap = 400;
export const hardLineCap = 700;

/** Central files that may be longer than the soft cap, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {};

/** One file, too long for one idea. */
export function lengthViolations({ path, text }: SourceFile, allowed: Readonly<Record<string, string>>): Violation[] {
  if (isGenerated(path)) return [];
  const lines = text.split('\n').length - 1;
  if (lines > hardLineCap) return [{ file: path, line: lines, rule: `${lines} lines, the hard cap is ${hardLineCap}` }];
  if (lines > softLineCap && allowed[path] === undefined) {
    return [{ file: path, line: lines, rule: `${lines} lines, the soft cap is ${softLineCap}` }];
  }
  return [];
}

interface TextRule {
  readonly pattern: RegExp;
  readonly rule: string;
}

function matches(file: string, text: string, searched: string, rules: readonly TextRule[]): Violation[] {
  return rules.flatMap(({ pattern, rule }) =>
    [...searched.matchAll(pattern)].map((match) => ({
      file,
      line: lineAt(text, match.index),
      rule: `${rule}: ${match[0].trim()}`,
    })),
  );
}

// Put together from halves, so that this file doesn't contain what it looks for.
const word = (...parts: string[]) => parts.join('');

const unfinished: TextRule[] = [
  {
    pattern: new RegExp(`\\b(?:${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('XX', 'X')})\\b`, 'g'),
    rule: 'unfinished',
  },
];

/** Names of places that exist on one machine, or in one company, only. */
const places: TextRule[] = [
  { pattern: new RegExp(word('(?<![\\w.-])/wo', 'rk/'), 'g'), rule: 'a path of one machine' },
  { pattern: new RegExp(word('\\.\\./sha', 'red/'), 'g'), rule: 'a path of one machine' },
  {
    pattern: new RegExp(
      word('(?<!https?://)\\bregistry\\.[\\w-]+\\.\\w+|\\b(?:verda', 'ccio|artif', 'actory|npmmir', 'ror)\\b'),
      'gi',
    ),
    rule: 'a registry',
  },
  { pattern: new RegExp(word('https?://registry', '\\.'), 'gi'), rule: 'a registry' },
];

const temporary: TextRule[] = [
  { pattern: new RegExp(word('(?<![\\w.-])/tm', 'p/'), 'g'), rule: 'a fixed temporary folder' },
];

/** Words that no file of the repository contains; `documents` are every text file, sources or not. */
export function wordViolations({ path, text }: SourceFile): Violation[] {
  const rules = isTestFile(path) || !/\.[cm]?[jt]s$/.test(path) ? places : [...places, ...temporary];
  const code = /\.[cm]?[jt]s$/.test(path) ? matches(path, text, text, unfinished) : [];
  return [...code, ...matches(path, text, text, rules)];
}

/** Pages that are named but don't exist; `pages` has the paths of all that do. */
export function pageViolations({ path, text }: SourceFile, pages: ReadonlySet<string>): Violation[] {
  const found: Violation[] = [];
  for (const match of text.matchAll(/(?<![\w./-])(?:[\w-]+\/)*[\w-]+\.md\b/g)) {
    const folder = path.split('/').slice(0, -1).join('/');
    const candidates = [
      match[0],
      `docs/${match[0]}`,
      `${folder}/${match[0]}`,
      `${folder.split('/').slice(0, 2).join('/')}/${match[0]}`,
    ];
    if (candidates.some((candidate) => pages.has(candidate))) continue;
    found.push({ file: path, line: lineAt(text, match.index), rule: `there is no page ${match[0]}` });
  }
  return found;
}

const testRules: TextRule[] = [
  { pattern: /(?<![\w$])(?:test|it|describe|suite)\s*\.\s*(?:only|skip|todo)\b/g, rule: 'a test set aside' },
  { pattern: /\b(?:only|skip|todo)\s*:\s*true\b/g, rule: 'a test set aside without a reason' },
  { pattern: /\.\s*(?:skip|todo)\(\s*\)/g, rule: 'a test set aside without a reason' },
];

/** Tests that don't run, or keep others from running. A test may skip itself if it says why. */
export function testViolations({ path, text }: SourceFile): Violation[] {
  return matches(path, text, codeOnly(text), testRules);
}

/** Whole modules may be re-exported where a file is a port, and says so by its place. */
const portExport = /^export (?:type )?\*\s+from '\.\/ports\/[\w-]+\.ts'/;

/** The package's face: named exports only, so that nothing becomes public by accident. */
export function indexViolations({ path, text }: SourceFile): Violation[] {
  const found: Violation[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (!/^\s*export\s+(?:type\s+)?\*/.test(line)) continue;
    if (/^\s*export\s+type\s+\*/.test(line) || portExport.test(line)) continue;
    found.push({ file: path, line: i + 1, rule: 'export * publishes what nobody meant to' });
  }
  return found;
}

/** Names of files, default exports, state of modules. */
export function sourceViolations({ path, text }: SourceFile): Violation[] {
  const found: Violation[] = [];
  const name = basename(path);
  // Declarations of somebody else's module have to take its form.
  if (name.endsWith('.d.ts')) return found;
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.(?:ts|mts|mjs)$/.test(name))
    found.push({ file: path, line: 1, rule: 'not in kebab-case' });
  if (/^(?:utils?|helpers?|common|misc)\./.test(name)) found.push({ file: path, line: 1, rule: 'a catch-all by name' });
  const code = codeOnly(text);
  const rules: TextRule[] = [];
  // A job is its module's default export: that is how a node loads it, and node:test its reporters.
  const isLoaded = path.startsWith('apps/') || /^(?:bench|test)\/.*-(?:job|reporter)\.ts$/.test(path);
  if (!isLoaded) rules.push({ pattern: /\bexport\s+default\b/g, rule: 'named exports only' });
  // The simulator runs many nodes in one process: what a module remembers, they would share.
  if (!isTestFile(path)) rules.push({ pattern: /^(?:export\s+)?let\s+\w+/gm, rule: 'a module with state of its own' });
  return [...found, ...matches(path, text, code, rules)];
}
