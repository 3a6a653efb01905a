/** What was thrown, for people: an error's message, or whatever else it was as text. Never throws, whatever it is. */
export function errorText(error: unknown): string {
  return textOr(() => (error instanceof Error ? error.message : error));
}

/** The same with an error's name in front, as `String` has it. */
export function thrownText(error: unknown): string {
  return textOr(() => error);
}

/** Objects without a prototype have no text, and `message` and `toString` may throw themselves. */
function textOr(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return 'something that has no text';
  }
}
