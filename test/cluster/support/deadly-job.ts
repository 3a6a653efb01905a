import { existsSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';

/**
 * `user amount`, or `user amount path`: such a record ends who applies it while there is a file at the path. With `date`
 * or `function` before the path it leaves a state with one in it, which can't be backed up.
 */
interface Deposit {
  readonly user: string;
  readonly amount: number;
  readonly bug: 'deadly' | 'date' | 'function' | null;
}

interface Sum {
  count: number;
  total: number;
  memo?: unknown;
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
        const [user, amount, ...bug] = textDecoder.decode(bytes.subarray(start, end)).split(' ');
        const path = bug.at(-1);
        const isThere = path !== undefined && existsSync(path);
        const kind = bug.length > 1 ? (bug[0] as 'date' | 'function') : 'deadly';
        return { user: user!, amount: Number(amount), bug: isThere ? kind : null };
      },
      key: (deposit: Deposit) => deposit.user,
    },
  },
  state: { version: 1, initial: (): Sum => ({ count: 0, total: 0 }), idle: '1d' },
  onEvent: {
    deposits({ amount, bug }, ctx) {
      if (bug === 'date') ctx.state.memo = new Date();
      if (bug === 'function') ctx.state.memo = () => amount;
      if (bug === 'deadly') {
        process.kill(process.pid, 'SIGKILL');
        // The signal takes a moment.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      ctx.state.count++;
      ctx.state.total += amount;
    },
  },
});
