import { existsSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';

/** Each record is the path of a file: while it is there the job wants to be stopped at that record. */
export default defineProcessor({
  name: 'stopping',
  version: '1',
  input: {
    paths: {
      topic: 'access-log',
      parse: (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString(),
      key: (path: string) => path,
    },
  },
  state: { version: 1, initial: () => ({ count: 0 }), idle: '1d' },
  onEvent: {
    paths(path, ctx) {
      if (existsSync(path)) throw new Error('a bug in the job');
      ctx.state.count++;
    },
  },
  // biome-ignore lint/suspicious/noThenProperty: a policy, not a promise
  onError: { then: 'stop' },
});
