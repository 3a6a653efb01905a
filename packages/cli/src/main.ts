import { enableCompileCache } from 'node:module';
import { processIo } from './io.ts';

// Compiled code is kept between starts: a node starts in less than half the time, its shards' threads too.
const { directory } = enableCompileCache();
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
// Of the pool's threads each shard's writer may wait in one for another process, and Raft's disk needs one as well. Early
// enough where nothing has used the pool yet; an installed bin/holdfast.mjs sees to it before the start.
process.env.UV_THREADPOOL_SIZE ??= '64';
// grpc-js writes lines of its own to stderr, where errors are one line each; its failures reach us as errors anyway.
process.env.GRPC_VERBOSITY ??= 'NONE';
const { run } = await import('./program.ts');
const argv = process.argv.slice(2);
const exit = await run(argv, processIo(!argv.includes('--no-color')));
// Output is written by now. A handle that something left open must not keep a process that has ended its work.
process.exit(exit);
