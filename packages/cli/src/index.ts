export { type ExitCode, exitCodes } from './exit-codes.ts';
export { type Io, processIo } from './io.ts';
export { run } from './program.ts';
