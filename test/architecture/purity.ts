import type { SourceFile } from './repository.ts';
import { codeOnly, importsOf, lineAt } from './source-text.ts';
import type { Violation } from './violation.ts';

/** Globals by which time, chance, the machine or another turn of the event loop would get into a pure core. */
const bannedGlobals = [
  'Date',
  'Intl',
  'Temporal',
  'WeakRef',
  'FinalizationRegistry',
  'Promise',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'clearTimeout',
  'clearInterval',
  'process',
  'Buffer',
  'console',
  'performance',
  'crypto',
  'fetch',
  'globalThis',
  'require',
  'eval',
];

const bannedForms: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  // A property or a key of this name is somebody's own word; the global is named bare.
  { pattern: new RegExp(`(?<![\\w$.#])(?:${bannedGlobals.join('|')})(?![\\w$]|\\s*\\??:)`, 'g'), what: '' },
  { pattern: /(?<![\w$.#])(?:async|await)(?![\w$]|\s*\??:)/g, what: '' },
  { pattern: /\bMath\s*\.\s*random\b/g, what: 'Math.random' },
  { pattern: /\.\s*(?:toLocale\w*|localeCompare)\b/g, what: '' },
  { pattern: /\basyncIterator\b/g, what: '' },
  { pattern: /\bimport\s*\(/g, what: 'a dynamic import' },
  { pattern: /\bimport\s*\.\s*meta\b/g, what: 'import.meta' },
];

/** What a source of a pure core (layers 0 and 1) must not contain. */
export function purityViolations({ path, text }: SourceFile): Violation[] {
  const found: Violation[] = [];
  for (const { specifier, line } of importsOf(text)) {
    if (specifier.startsWith('.') || specifier.startsWith('@holdfast/')) continue;
    found.push({ file: path, line, rule: `a pure core imports ${specifier}` });
  }
  const code = codeOnly(text);
  for (const { pattern, what } of bannedForms) {
    for (const match of code.matchAll(pattern)) {
      found.push({ file: path, line: lineAt(text, match.index), rule: `a pure core uses ${what || match[0].trim()}` });
    }
  }
  return found;
}

export interface CompilerOptions {
  readonly lib?: readonly string[];
  readonly types?: readonly string[];
}

/** A project whose `lib` and `types` (its own, or else the base's) let nothing of the host be named. */
export function typeViolations(file: string, own: CompilerOptions, base: CompilerOptions): Violation[] {
  const lib = (own.lib ?? base.lib)?.join().toLowerCase();
  const types = own.types ?? base.types;
  const found: Violation[] = [];
  if (lib !== 'es2023') found.push({ file, line: 1, rule: `lib has to be ES2023 alone, not ${lib}` });
  if (types?.length !== 0) found.push({ file, line: 1, rule: `types has to be empty, not ${types}` });
  return found;
}
