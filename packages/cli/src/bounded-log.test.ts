import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Log } from '@holdfast/engine';
import { NodeTimers } from '@holdfast/node';
import { BoundedLog } from './bounded-log.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { runHere } from './run-here.test.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-bounded-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function configOf(broker: string): string {
  const path = join(dir, 'node.yaml');
  writeFileSync(path, `node: {id: n1}\ndata: ${dir}\nlog: {kind: kafka}\nkafka: {brokers: ["${broker}"]}\n`);
  return path;
}

for (const command of [
  ['dlq', 'ls'],
  ['topic', 'lag'],
]) {
  test(`without a broker ${command.join(' ')} times out, and says why`, { timeout: 30_000 }, async () => {
    const config = configOf('127.0.0.1:1');
    const { exit, out, err } = await runHere([...command, '--config', config, '--timeout', '300ms'], dir);
    assert.deepEqual([exit, out], [exitCodes.timedOut, '']);
    assert.match(err, /^holdfast: Kafka at 127\.0\.0\.1:1 is not reached after 0\.3 s and \d+ tries: .*ECONNREFUSED/);
  });
}

test('nor is a broker that takes connections and says nothing waited for', { timeout: 30_000 }, async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const broker = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const begunMs = performance.now();
  const { exit, err } = await runHere(['dlq', 'ls', '--config', configOf(broker), '--timeout', '300ms'], dir);
  const tookMs = performance.now() - begunMs;
  for (const socket of sockets) socket.destroy();
  server.close();
  assert.equal(exit, exitCodes.timedOut, err);
  assert.match(err, /did not answer within 0\.3s; see to its brokers, or give a longer --timeout/);
  assert.ok(tookMs < 4_000, `${Math.round(tookMs)} ms`);
});

test('a question that is not answered in time has failed; an append is waited for', async () => {
  const timers = new NodeTimers();
  const never = () => new Promise<never>(() => undefined);
  const later = () => new Promise<number>((resolve) => void timers.setTimer(60, () => resolve(7)));
  const brokers = { describe: never, endOffsets: async () => [3], append: later } as unknown as Log;
  const log = new BoundedLog(brokers, 'Kafka at k:1', 20, timers);
  await assert.rejects(
    log.describe('in'),
    (error: unknown) =>
      error instanceof CliError && error.exit === exitCodes.timedOut && error.code === 'LOG_UNREACHABLE',
  );
  assert.deepEqual(await log.endOffsets('in'), [3]);
  assert.equal(await log.append('in', 0, []), 7);
});
