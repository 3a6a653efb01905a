/** What was thrown, for people: an error's message, or whatever else it was as text. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
