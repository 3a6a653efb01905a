import { processIo } from './io.ts';
import { run } from './program.ts';

const argv = process.argv.slice(2);
process.exitCode = await run(argv, processIo(!argv.includes('--no-color')));
