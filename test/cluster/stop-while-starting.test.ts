import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeProcess } from './support/node-process.ts';
import { waitFor } from './support/wait.ts';

/** Far below what a request to a broker waits for its answer. */
const soonMs = 10_000;

async function withNode(settings: object, run: (node: NodeProcess, dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-start-'));
  const path = join(dir, 'node.json');
  const listen = { control: '127.0.0.1:1', gossip: '127.0.0.1:1', http: '127.0.0.1:0' };
  writeFileSync(path, JSON.stringify({ node: { id: 'n1' }, data: join(dir, 'data'), shards: 1, listen, ...settings }));
  const node = new NodeProcess('n1', path, join(dir, 'log'));
  try {
    node.start();
    await run(node, dir);
  } finally {
    await node.signal('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

test('a signal ends a start that tries a broker which says nothing', { timeout: 120_000 }, async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const brokers = [`127.0.0.1:${(silent.address() as AddressInfo).port}`];
  try {
    await withNode({ log: { kind: 'kafka' }, kafka: { brokers } }, async (node) => {
      const tried = once(silent, 'connection');
      const [socket] = await tried;
      socket.on('error', () => undefined);
      const begunMs = performance.now();
      assert.equal(await node.signal('SIGTERM'), 0, node.output);
      const tookMs = performance.now() - begunMs;
      assert.ok(tookMs < soonMs, `${Math.round(tookMs)} ms`);
    });
  } finally {
    silent.close();
  }
});

test('a second signal ends a start that heeds none', { timeout: 120_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-start-'));
  try {
    const reached = join(dir, 'reached');
    const job = join(dir, 'job.mjs');
    const text = `import fs from 'node:fs';\nfs.writeFileSync(${JSON.stringify(reached)}, '');\nawait new Promise(() => {});\n`;
    writeFileSync(job, text);
    await withNode({ job: { name: job } }, async (node) => {
      await waitFor('the start to hang', 60_000, () => existsSync(reached) || null, 20);
      // Signals that come at once are one.
      const send = () => {
        if (node.running) process.kill(node.pid!, 'SIGTERM');
        return !node.running || null;
      };
      await waitFor('the end', soonMs, send, 500);
      assert.equal(node.signalCode, 'SIGKILL');
      assert.match(node.output, /^holdfast: node n1 is ended in the midst of its start$/m);
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
