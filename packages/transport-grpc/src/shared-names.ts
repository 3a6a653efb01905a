import { promises } from 'node:dns';
import { HostNames } from '@holdfast/engine';

/** All families, in the order that the system prefers. */
async function lookUp(host: string): Promise<readonly string[]> {
  const found = await promises.lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Those of this thread, for all its connections. No process waits for their timers. */
export const sharedNames = new HostNames(lookUp, {
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs).unref();
    return () => clearTimeout(timer);
  },
});
