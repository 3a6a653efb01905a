import { existsSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';
import { pathRecords } from './path-records.ts';

/** Each record is the path of a file: while it is there the job wants to be stopped at that record. */
export default defineProcessor({
  name: 'stopping',
  version: '1',
  input: { paths: pathRecords },
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
