import { existsSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';

/** `user amount`, or `user amount path`: such a record ends who applies it while there is a file at the path. */
interface Deposit {
  readonly user: string;
  readonly amount: number;
  readonly deadlyWhile: string | null;
}

const textDecoder = new TextDecoder();

/** Sums what users get; a bug in it, which can be mended by removing a file, ends its process. */
export default defineProcessor({
  name: 'deposits',
  version: '1',
  input: {
    deposits: {
      topic: 'access-log',
      parse: (bytes: Uint8Array, start: number, end: number): Deposit => {
        const [user, amount, deadlyWhile] = textDecoder.decode(bytes.subarray(start, end)).split(' ');
        return { user: user!, amount: Number(amount), deadlyWhile: deadlyWhile ?? null };
      },
      key: (deposit: Deposit) => deposit.user,
    },
  },
  state: { version: 1, initial: () => ({ count: 0, total: 0 }), idle: '1d' },
  onEvent: {
    deposits({ amount, deadlyWhile }, ctx) {
      if (deadlyWhile !== null && existsSync(deadlyWhile)) {
        process.kill(process.pid, 'SIGKILL');
        // The signal takes a moment.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      ctx.state.count++;
      ctx.state.total += amount;
    },
  },
});
