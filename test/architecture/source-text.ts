/**
 * Just enough of a scanner to read TypeScript sources truthfully: it knows comments, strings, templates and regular
 * expressions, so that a word in a comment is not taken for code, nor an import in a string for an import.
 */

/** The text with comments, and with the insides of literals, turned into blanks; every position stays where it was. */
export function codeOnly(text: string): string {
  const out = text.split('');
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Depth of braces at which each open `${` of a template ends. */
  const templates: number[] = [];
  let depth = 0;
  let at = text.startsWith('#!') ? endOfLine(text, 0) : 0;
  blank(0, at);
  while (at < text.length) {
    const c = text[at]!;
    const next = text[at + 1];
    if (c === '/' && next === '/') {
      const end = endOfLine(text, at);
      blank(at, end);
      at = end;
    } else if (c === '/' && next === '*') {
      const close = text.indexOf('*/', at + 2);
      const end = close < 0 ? text.length : close + 2;
      blank(at, end);
      at = end;
    } else if (c === "'" || c === '"') {
      const end = endOfString(text, at, c);
      blank(at + 1, end - 1);
      at = end;
    } else if (c === '`' || (c === '}' && templates.at(-1) === depth)) {
      if (c === '}') templates.pop();
      const end = endOfTemplatePart(text, at + 1);
      const opens = text[end - 1] === '{';
      blank(at + 1, opens ? end - 2 : end - 1);
      if (opens) templates.push(depth);
      at = end;
    } else if (c === '/' && regexMayStart(out, at)) {
      const end = endOfRegex(text, at);
      blank(at + 1, end);
      at = end;
    } else {
      if (c === '{') depth++;
      else if (c === '}') depth--;
      at++;
    }
  }
  return out.join('');
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function endOfString(text: string, at: number, quote: string): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote || text[i] === '\n') return i + 1;
  }
  return text.length;
}

/** Just behind the closing backtick, or behind the `${` that comes first. */
function endOfTemplatePart(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') return i + 1;
    else if (text[i] === '$' && text[i + 1] === '{') return i + 2;
  }
  return text.length;
}

function endOfRegex(text: string, at: number): number {
  let inClass = false;
  for (let i = at + 1; i < text.length && text[i] !== '\n'; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') inClass = true;
    else if (text[i] === ']') inClass = false;
    else if (text[i] === '/' && !inClass) return i + 1;
  }
  return at + 1;
}

/** A slash behind a value divides; behind an operator, an opening bracket or a keyword it begins a regular expression. */
function regexMayStart(out: readonly string[], at: number): boolean {
  let i = at - 1;
  while (i >= 0 && /\s/.test(out[i]!)) i--;
  if (i < 0) return true;
  if (/[)\]}'"`]/.test(out[i]!)) return false;
  if (!/[\w$]/.test(out[i]!)) return true;
  let word = '';
  while (i >= 0 && /[\w$]/.test(out[i]!)) word = out[i--]! + word;
  return ['return', 'typeof', 'case', 'in', 'of', 'void', 'delete', 'else', 'do', 'yield', 'await'].includes(word);
}

export interface ImportStatement {
  readonly specifier: string;
  readonly line: number;
  /** Erased at run time. */
  readonly typeOnly: boolean;
}

const importForms = [
  /\b(?:import|export)\s+(type\s+)?(?:[\w$*{][^'"`;()]*?)?\bfrom\s*(['"])/g,
  /\bimport\s*()(['"])/g,
  /\b(?:import|require)\s*\(\s*()(['"`])/g,
];

/** Every module that a source names: static and dynamic imports, re-exports, require. */
export function importsOf(text: string): ImportStatement[] {
  const code = codeOnly(text);
  const found: ImportStatement[] = [];
  for (const form of importForms) {
    for (const match of code.matchAll(form)) {
      const start = match.index + match[0].length;
      const end = code.indexOf(match[2]!, start);
      found.push({
        specifier: text.slice(start, end),
        line: lineAt(text, match.index),
        typeOnly: match[1] !== undefined && match[1] !== '',
      });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** 1-based line of a position. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < position; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
