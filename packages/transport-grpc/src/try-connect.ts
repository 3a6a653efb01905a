import { connect } from 'node:net';

/**
 * A TCP connection to `host:port`, closed as soon as it is there. `refused` only when the host of every address that the
 * name stands for said so; whoever resets a connection after it was there has a listener.
 */
export function tryConnect(address: string, timeoutMs: number): Promise<'refused' | 'accepted' | 'unknown'> {
  const target = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(address);
  if (target === null || Number(target[2]) > 65_535) return Promise.resolve('unknown');
  return new Promise((resolve) => {
    const socket = connect({ host: target[1]!, port: Number(target[2]) });
    const settle = (outcome: 'refused' | 'accepted' | 'unknown'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle('unknown'), timeoutMs);
    socket.on('connect', () => settle('accepted'));
    socket.on('error', (error) => {
      const errors: readonly Error[] = error instanceof AggregateError ? error.errors : [error];
      const isRefused = errors.every((each) => (each as NodeJS.ErrnoException).code === 'ECONNREFUSED');
      settle(isRefused ? 'refused' : 'unknown');
    });
  });
}
