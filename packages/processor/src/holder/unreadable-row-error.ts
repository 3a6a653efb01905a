/** The stored row of a unit can't be read: the store says so, or its own format is another one (PROTOCOL.md 5.6). */
export class UnreadableRowError extends Error {
  override readonly name = 'UnreadableRowError';
}
