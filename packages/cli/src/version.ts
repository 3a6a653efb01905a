import { readFileSync } from 'node:fs';

/** This package's own version: beside `src` and `dist` alike. */
export const programVersion: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
