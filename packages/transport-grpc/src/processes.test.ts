import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { sampleFrame } from '@holdfast/testkit';
import { HolderProcess, Ingest } from '../fixtures/harness.ts';

const ingest = new Ingest();
const processes: HolderProcess[] = [];
after(async () => {
  await ingest.transport.close();
  for (const started of processes) await started.kill();
});

test('all of it works inside a worker thread, which ends by itself after close', async () => {
  const worker = new Worker(new URL('../fixtures/frame-server.ts', import.meta.url), {
    execArgv: ['--conditions=source'],
  });
  const [{ address }] = (await once(worker, 'message')) as [{ address: string }];
  const { sender, log, ended } = ingest.open(address);
  sender.send(sampleFrame(1));
  await log.count(1);
  assert.deepEqual(log.events, [['return', { kind: 'applied', frame: 1 }]]);
  worker.postMessage('close');
  assert.match(await ended, /UNAVAILABLE/);
  assert.deepEqual(await once(worker, 'exit'), [0]);
});

test('a process ends by itself after close, with a stream and an idle connection open to it', async () => {
  const server = await HolderProcess.start();
  processes.push(server);
  const { sender, log, ended } = ingest.open(server.address);
  sender.send(sampleFrame(1));
  await log.count(1);
  server.child.send('close');
  assert.match(await ended, /UNAVAILABLE/);
  assert.deepEqual(await once(server.child, 'exit'), [0, null]);
});
