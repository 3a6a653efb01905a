import { LmdbEnv } from '../../../packages/embedded/src/lmdb-env.ts';

/**
 * A process that stands still inside a transaction of an embedded store, with all writers of all processes shut out:
 * `node lock-holder.ts STORE MS`. It says `held` on stdout when it has the lock.
 */
const [path, ms] = process.argv.slice(2);
const env = await LmdbEnv.open(path!, {});
await env.exclusive(() => {
  console.log('held');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
});
await env.close();
