/** A broken invariant: the process that meets it must end, since its state can't be trusted any more. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Checks an invariant, in production too. The message says what was found. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
