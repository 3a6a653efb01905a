/** What moves a cursor, names a window, ends a line, or turns the order of others round, instead of being seen. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from records, files or other machines, for a person's terminal: what would act on that is escaped, as in JSON.
 * For people only: programs get JSON, which has all of it.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
