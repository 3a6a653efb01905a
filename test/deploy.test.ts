import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileConfig, configWarnings, type NodeConfig } from '@holdfast/node';

const folder = new URL('../deploy/examples/', import.meta.url).pathname;

function example(name: string): NodeConfig {
  const path = `${folder}${name}`;
  return compileConfig({ cwd: '/', files: [{ path, text: readFileSync(path, 'utf8') }] }).config;
}

test('every example configuration is a valid one', () => {
  for (const name of readdirSync(folder)) {
    const config = example(name);
    assert.equal(config.nodeId, 'n1');
    assert.equal(config.peers.length, 3);
  }
});

test('the example of a cluster runs on Kafka and Redis, with certificates, and secrets in files', () => {
  const config = example('node.yaml');
  const { log, store } = config;
  assert.ok(config.tls !== null);
  assert.deepEqual(configWarnings(config), []);
  assert.ok(log.kind === 'kafka' && log.sasl !== null && 'password' in log.sasl && 'file' in log.sasl.password);
  assert.ok(log.tls !== null);
  assert.ok(store.kind === 'redis' && store.tls !== null && store.password !== null && 'file' in store.password);
});

test('the example without services has none, and listens on loopback only', () => {
  const config = example('embedded.yaml');
  assert.deepEqual([config.log.kind, config.store.kind], ['embedded', 'embedded']);
  for (const { host } of [config.listenControl, config.listenGossip, config.listenShards, config.listenHttp!]) {
    assert.equal(host, '127.0.0.1');
  }
});
