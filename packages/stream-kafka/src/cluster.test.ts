import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { type LogFields, silentLogger } from '@holdfast/model';
import { KafkaCluster } from './cluster.ts';
import type { KafkaError } from './errors.ts';
import { compileKafkaOptions } from './options.ts';
import { clusterOf, ledBy, StandInBroker } from './test-support.test.ts';
import { Certificates } from './tls-support.test.ts';

const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };

/** A server that takes a request and hangs up. */
async function rudeServer(): Promise<{ readonly address: string; close(): void }> {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () => server.close(),
  };
}

test('brokers that fail are told once, with address, request, tries and waits', async () => {
  const server = await rudeServer();
  const lines: { text: string; fields: LogFields }[] = [];
  const logger = { ...silentLogger, warn: (text: string, fields: LogFields = {}) => void lines.push({ text, fields }) };
  const limits = { backoffMsMin: 1, backoffMsMax: 5, retryTimeMs: 200 };
  const cluster = new KafkaCluster(compileKafkaOptions({ brokers: [server.address], limits }), { clock, logger });
  const failure = `no broker answers: ${server.address}: the broker closed the connection (waited for ApiVersions)`;
  try {
    await assert.rejects(
      cluster.retry(() => cluster.metadata([])),
      (error: KafkaError) => error.code === 'UNREACHABLE' && error.message.startsWith(`${failure} (given up after `),
    );
  } finally {
    cluster.close();
    server.close();
  }
  assert.equal(lines.length, 1);
  const { text, fields } = lines[0]!;
  assert.equal(text, 'Kafka: trying again');
  assert.equal((fields.err as Error).message, failure);
  assert.deepEqual([fields.tries, fields.retryInMs, fields.givesUpAfterMs], [5, 5, 200]);
});

const sasl = { mechanism: 'PLAIN', username: 'u', password: 'hush' } as const;
const belief = { topicId: Buffer.alloc(16, 7), partition: ledBy(1, 0) };

test('a broker that refuses this client is no word about the others', async () => {
  const first = await StandInBroker.start(1, belief);
  const second = await StandInBroker.start(2, belief);
  first.isRefused = () => true;
  const { cluster } = clusterOf([first.address, second.address], {}, { sasl });
  try {
    assert.equal((await cluster.metadata([])).controllerId, 2);
    assert.equal(first.secrets.length, 1);
  } finally {
    cluster.close();
    for (const broker of [first, second]) broker.stop();
  }
});

test('where one refuses this client, and no other one answers, that is said at once', async () => {
  const first = await StandInBroker.start(1, belief);
  const server = await rudeServer();
  const gone = { nodeId: 2, host: '127.0.0.1', port: Number(server.address.split(':')[1]) };
  first.isRefused = () => true;
  const { cluster } = clusterOf([first.address, gone], {}, { sasl });
  const refused =
    /^127\S+: SASL PLAIN with user u: SASL_AUTHENTICATION_FAILED; 127\S+: the broker closed the connection/;
  try {
    await assert.rejects(
      cluster.retry(() => cluster.metadata([])),
      (error: KafkaError) => error.code === 'DENIED' && refused.test(error.message),
    );
    assert.equal(first.secrets.length, 1);
  } finally {
    cluster.close();
    first.stop();
    server.close();
  }
});

test('a token that can not be read for a moment is asked for again', async () => {
  const broker = await StandInBroker.start(1, belief);
  let reads = 0;
  const token = async () => {
    if (++reads === 1) throw new Error('the token file is empty');
    return 'fresh';
  };
  const limits = { backoffMsMin: 1, backoffMsMax: 1 };
  const { cluster } = clusterOf([broker.address], limits, { sasl: { mechanism: 'OAUTHBEARER', token } });
  try {
    const text = /^no broker answers: 127\S+: SASL OAUTHBEARER with a token: the token file is empty$/;
    const unread = ({ code, message }: KafkaError) => code === 'UNREACHABLE' && text.test(message);
    await assert.rejects(cluster.metadata([]), unread);
    reads = 0;
    assert.equal((await cluster.retry(() => cluster.metadata([]))).controllerId, 1);
    assert.equal(broker.secrets.length, 1);
  } finally {
    cluster.close();
    broker.stop();
  }
});

test('a password that was changed is read by the next connection', async () => {
  const broker = await StandInBroker.start(1, belief);
  let password = 'old';
  const changing = { mechanism: 'PLAIN', username: 'u', password: () => password } as const;
  const { cluster } = clusterOf([broker.address], {}, { sasl: changing });
  try {
    await cluster.metadata([]);
    // Each answer comes over another connection.
    broker.hangUp();
    broker.isRefused = (secret) => secret !== '\0u\0new';
    await assert.rejects(cluster.metadata([]), ({ code }: KafkaError) => code === 'DENIED');
    password = 'new';
    assert.equal((await cluster.metadata([])).controllerId, 1);
  } finally {
    cluster.close();
    broker.stop();
  }
});

test('authorities that were changed are read by the next connection', async () => {
  const certificates = new Certificates();
  const { certFile: caFile, keyFile } = certificates.make('broker');
  const server = createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(caFile) });
  server.on('secureConnection', (socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const broker = { nodeId: 1, host: '127.0.0.1', port: (server.address() as { port: number }).port };
  const trusted = readFileSync(caFile);
  writeFileSync(caFile, readFileSync(certificates.make('another').certFile));
  const { cluster } = clusterOf([broker], {}, { tls: { caFile } });
  const failsBy = (code: string) => (error: KafkaError) => error.code === code;
  try {
    await assert.rejects(cluster.metadata([]), failsBy('DENIED'));
    writeFileSync(caFile, trusted);
    // It takes a request, and hangs up.
    await assert.rejects(cluster.metadata([]), failsBy('UNREACHABLE'));
  } finally {
    cluster.close();
    server.close();
    certificates.remove();
  }
});
