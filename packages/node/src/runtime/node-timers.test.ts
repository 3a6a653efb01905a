import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { NodeTimers } from './node-timers.ts';

test('threads that share a moment 0 mean the same by a time', async () => {
  const timers = new NodeTimers();
  const source = `
    const { parentPort, workerData } = await import('node:worker_threads');
    const { NodeTimers } = await import(workerData.url);
    parentPort.postMessage(new NodeTimers(workerData.zeroMs).monotonicMs());
  `;
  const before = timers.monotonicMs();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { url: new URL('./node-timers.ts', import.meta.url).href, zeroMs: timers.zeroMs },
  });
  const [theirs] = (await once(worker, 'message')) as [number];
  const after = timers.monotonicMs();
  // Rounding of the clocks' readings against each other.
  assert.ok(theirs > before - 1 && theirs < after + 1, `${before} < ${theirs} < ${after}`);
  await worker.terminate();
});

test('alone, its time is that of the performance clock', () => {
  const timers = new NodeTimers();
  const before = performance.now();
  const nowMs = timers.monotonicMs();
  assert.ok(nowMs >= before && nowMs <= performance.now());
});
