import { writeFileSync } from 'node:fs';
import { defineProcessor } from '@holdfast/sdk';

/** Each record is the path of a file: the job makes it, and never comes back. */
export default defineProcessor({
  name: 'stuck',
  version: '1',
  input: {
    paths: {
      topic: 'access-log',
      parse: (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString(),
      key: (path: string) => path,
    },
  },
  state: { version: 1, initial: () => ({}), idle: '1d' },
  onEvent: {
    paths(path) {
      writeFileSync(path, '');
      for (;;);
    },
  },
});
