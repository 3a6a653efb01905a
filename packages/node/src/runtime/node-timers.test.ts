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

test('a delay that is longer than Node.js takes is waited for all the same, and can be cancelled at any time', (t) => {
  const timers = new NodeTimers();
  const longestMs = 2 ** 31 - 1;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  timers.setTimer(2 * longestMs + 10, () => fired++);
  const cancelled = [0, 1, 2].map(() => timers.setTimer(2 * longestMs + 10, () => assert.fail('it was cancelled')));
  for (const ms of [longestMs, longestMs, 9]) {
    cancelled.pop()!();
    t.mock.timers.tick(ms);
    assert.equal(fired, 0);
  }
  t.mock.timers.tick(1);
  assert.equal(fired, 1);
});

test('no such delay reaches Node.js', async () => {
  const timers = new NodeTimers();
  let fired = false;
  const cancel = timers.setTimer(30 * 86_400_000, () => {
    fired = true;
  });
  // Timers come in the order of their times: one that was made 1 ms comes before this one.
  await new Promise<void>((resolve) => timers.setTimer(5, resolve));
  cancel();
  assert.equal(fired, false);
});
