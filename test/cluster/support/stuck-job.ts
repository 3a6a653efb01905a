import { execFileSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';
import { pathRecords } from './path-records.ts';

/**
 * Each record is the path of a file: the job makes it, and never comes back, out of a loop of its own or, where the path
 * ends with `call`, out of a system call. A path that ends with `end` stops the job.
 */
export default defineProcessor({
  name: 'stuck',
  version: '1',
  input: { paths: pathRecords },
  // biome-ignore lint/suspicious/noThenProperty: a policy, not a promise
  onError: { then: 'stop' },
  state: { version: 1, initial: () => ({}), idle: '1d' },
  onEvent: {
    paths(path) {
      if (path.endsWith('end')) throw new Error('stopped by its record');
      const pipe = `${path}.pipe`;
      if (path.endsWith('call')) execFileSync('mkfifo', [pipe]);
      writeFileSync(path, '');
      // Nobody ever opens the other end.
      if (path.endsWith('call')) openSync(pipe, 'r');
      for (;;);
    },
  },
});
