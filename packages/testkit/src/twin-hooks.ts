/**
 * Where a test or a simulation steps between a caller and an in-memory adapter. `operation` is the method's name.
 * To wait in `before` is a slow or frozen service, to throw there a request that never arrived; what throws in `after`
 * is a lost reply: the call has had its effect, durably. A process that dies drops its adapter and opens another one
 * on the same disk: calls that still wait in `before` are the unflushed writes that a crash loses.
 */
export interface TwinHooks {
  before?(operation: string): void | Promise<void>;
  after?(operation: string): void | Promise<void>;
}

/** Runs `apply`, in one step, between the hooks. */
export async function throughHooks<T>(hooks: TwinHooks, operation: string, apply: () => T): Promise<T> {
  await hooks.before?.(operation);
  const result = apply();
  await hooks.after?.(operation);
  return result;
}
