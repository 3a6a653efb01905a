import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { threadStacks } from './thread-stacks.ts';

test('a thread in a loop tells where it is, and goes on', async () => {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const source = `const { parentPort, workerData: cell } = require('node:worker_threads');
    function spin() { while (Atomics.load(cell, 0) === 0); }
    function handle() { spin(); }
    parentPort.postMessage(1);
    handle();`;
  const begin = async (name: string): Promise<{ end: Promise<unknown> }> => {
    const worker = new Worker(source, { eval: true, name, workerData: cell });
    await once(worker, 'message');
    return { end: once(worker, 'exit') };
  };
  const threads = [await begin('shard-0'), await begin('other')];
  const stacks = await threadStacks('shard-', 10_000);
  assert.deepEqual([...stacks.keys()], ['shard-0']);
  assert.match(stacks.get('shard-0')!.join(' < '), /handle .*:3 < /);
  Atomics.store(cell, 0, 1);
  await Promise.all(threads.map(({ end }) => end));
  assert.equal((await threadStacks('shard-', 10_000)).size, 0);
});
