/** What would make a history depend on something else than its seed. */
const poisoned = (name: string) => (): never => {
  throw new Error(`I24: ${name} was called`);
};

/**
 * Runs `act` while the host's clock, timers and randomness throw, and while promises that reject unheard are told.
 * Promises are all that is left to it: `setImmediate` waits for them.
 */
export async function withoutHost<T>(act: () => Promise<T>, onUnhandled: (error: unknown) => void): Promise<T> {
  const { now } = Date;
  const { random } = Math;
  const { setTimeout, setInterval } = globalThis;
  const performanceNow = performance.now;
  process.on('unhandledRejection', onUnhandled);
  Date.now = poisoned('Date.now');
  Math.random = poisoned('Math.random');
  performance.now = poisoned('performance.now');
  Object.assign(globalThis, { setTimeout: poisoned('setTimeout'), setInterval: poisoned('setInterval') });
  try {
    return await act();
  } finally {
    Date.now = now;
    Math.random = random;
    performance.now = performanceNow;
    Object.assign(globalThis, { setTimeout, setInterval });
    process.off('unhandledRejection', onUnhandled);
  }
}
