import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../dev/free-ports.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'holdfast-node-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** How a node ends in whose process that happens, once it has written a log line with this. */
async function endOf(name: string, settings: string, line: string, happens: string) {
  const [control, gossip] = await freePorts('127.0.0.1', 2);
  const listen = `{control: "127.0.0.1:${control}", gossip: "127.0.0.1:${gossip}", shards: "127.0.0.1:0", http: "off"}`;
  const config = join(dir, `${name}.yaml`);
  writeFileSync(config, `node: {id: n1}\ndata: ${join(dir, name)}\nlisten: ${listen}\nshards: 1\n${settings}`);
  const preload = join(dir, `${name}.cjs`);
  writeFileSync(preload, `process.once('SIGUSR2', () => { ${happens} });\n`);
  const args = ['--conditions=source', '-r', preload, main, 'node', '--config', config];
  const env = { PATH: process.env.PATH, HOLDFAST_SUPERVISED: '1' };
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let [logs, err, isSent] = ['', '', false];
  child.stdout.on('data', (text) => {
    logs += String(text);
    if (!isSent && logs.includes(line)) isSent = child.kill('SIGUSR2');
  });
  child.stderr.on('data', (text) => {
    err += String(text);
  });
  const [exit, signal] = await once(child, 'close');
  return { exit, signal, logs, err };
}

const failed = (text: string) => {
  const error = { schema: 'holdfast/error/v1', code: 'NODE_FAILED', exit: 1, text, hint: null };
  return `${JSON.stringify(error)}\n`;
};

for (const [what, happens] of [
  ['thrown error', "throw new Error('boom')"],
  ['rejection', "Promise.reject('boom')"],
] as const) {
  test(`a ${what} that nobody catches ends a node as its other failures do`, { timeout: 60_000 }, async () => {
    const { exit, signal, logs, err } = await endOf(what.replace(' ', '-'), '', '"listening"', happens);
    assert.deepEqual([exit, signal, err], [1, null, failed('node n1 failed: boom')]);
    assert.match(logs, /"this node can not go on"/);
  });
}

test('so does one of a node that waits for its log', { timeout: 60_000 }, async () => {
  const settings = 'log: {kind: kafka}\nkafka: {brokers: ["127.0.0.1:9"]}\n';
  const { exit, signal, err } = await endOf('start', settings, '"not reached yet"', "throw new Error('boom')");
  assert.deepEqual([exit, signal, err], [1, null, failed('node n1 failed: boom')]);
});

test('one that comes while a node drains is its end, too', { timeout: 60_000 }, async () => {
  const happens = "process.kill(process.pid, 'SIGTERM'); setTimeout(() => { throw new Error('boom'); }, 5)";
  const { exit, err } = await endOf('drain', '', '"listening"', happens);
  assert.deepEqual([exit, err], [1, failed('node n1 failed: boom')]);
});
