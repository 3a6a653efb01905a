import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { threadStates } from './thread-states.ts';

const onLinux = { skip: process.platform === 'linux' ? false : 'the kernel tells of threads on Linux only' };

test('a thread that runs is told from one that waits', onLinux, async () => {
  const loop = 'for (;;) if (Atomics.load(cell, 0) === 1) break;';
  const wait = 'Atomics.wait(cell, 0, 0);';
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const begin = async (name: string, code: string) => {
    const source = `const { parentPort, workerData: cell } = require('node:worker_threads'); parentPort.postMessage(1); ${code}`;
    const worker = new Worker(source, { eval: true, name, workerData: cell });
    await once(worker, 'message');
    return worker;
  };
  const workers = [await begin('probe-loop', loop), await begin('probe-wait', wait)];
  let states = threadStates('probe-');
  const isTold = () => states.some(({ name, state }) => name === 'probe-wait' && state === 'S');
  for (const endMs = performance.now() + 5_000; !isTold() && performance.now() < endMs; )
    states = threadStates('probe-');
  const stateOf = (wanted: string) => states.find(({ name }) => name === wanted)?.state;
  assert.deepEqual([states.length, stateOf('probe-loop'), stateOf('probe-wait')], [2, 'R', 'S']);
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  assert.deepEqual(threadStates('probe-loop'), []);
});
