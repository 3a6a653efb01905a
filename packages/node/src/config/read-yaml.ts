import { parseDocument } from 'yaml';

type Read =
  | { readonly code: 'OK'; readonly document: unknown }
  | { readonly code: 'UNREADABLE'; readonly reason: string };

/**
 * What a YAML or JSON text says; null for an empty one. The reason why it can't be read names the kind of mistake and
 * its place, and nothing of the text: a password that begins with `*`, `!` or `|` is such a mistake.
 */
export function readYaml(text: string): Read {
  const document = parseDocument(text);
  // A tag that nobody knows is a warning only, and its value, often a password without quotes, would be lost.
  const mistake = document.errors[0] ?? document.warnings[0];
  if (mistake !== undefined) {
    const [place] = mistake.linePos ?? [];
    const where = place === undefined ? '' : ` at line ${place.line}, column ${place.col}`;
    return { code: 'UNREADABLE', reason: `${kindOf(mistake)}${where}` };
  }
  try {
    return { code: 'OK', document: document.toJS() ?? null };
  } catch (error) {
    return { code: 'UNREADABLE', reason: kindOf(error as Error) };
  }
}

/** What comes after a colon is a piece of the text. */
function kindOf({ message }: Error): string {
  return message.split(/:| at line /)[0]!.trim();
}
