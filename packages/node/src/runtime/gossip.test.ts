import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gossip } from '@holdfast/engine';
import { seedsMax } from '@holdfast/gossip-swim';
import type { NodeMeta } from '@holdfast/membership';
import { type Logger, nodeId, silentLogger } from '@holdfast/model';
import { compileConfig } from '../config/compile-config.ts';
import { createGossip, gossipSeeds, openGossipKeys } from './gossip.ts';
import { gossipMeta, zoneIn } from './gossip-meta.ts';
import { NodeTimers } from './node-timers.ts';
import { runNode } from './run-node.ts';

/** Two UDP ports that were free a moment ago. */
async function freePorts(): Promise<Record<'a' | 'b', number>> {
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const [a, b] = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return { a: a!, b: b! };
}

function configOf(name: 'a' | 'b', ports: Record<'a' | 'b', number>, flags: Record<string, string>) {
  const peers = `a=127.0.0.1:7400/127.0.0.1:${ports.a},b=127.0.0.1:7410/127.0.0.1:${ports.b}`;
  const all = { 'node.id': name, 'cluster.peers': peers, 'listen.gossip': `127.0.0.1:${ports[name]}`, ...flags };
  return compileConfig({ flags: all, cwd: '/' }).config;
}

function metaOf(name: string): NodeMeta {
  return {
    uuid: `0000000${name}-0000-4000-8000-000000000000`,
    startCounter: 1,
    version: '0.1.0',
    peerAddress: '127.0.0.1:7400',
    shardAddresses: [],
    httpAddress: null,
    zone: null,
  };
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error('not within 20 s');
    await sleep(10);
  }
}

const isTogether = (gossips: readonly Gossip[]) =>
  gossips.every((gossip) => gossip.members().filter(({ state }) => state === 'alive').length === gossips.length);

for (const protocol of ['lifeguard', 'swim']) {
  test(`gossip by ${protocol}, sealed as configured; a key file is read again when it changes`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-gossip-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const keys = join(folder, 'keys');
    const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    await writeFile(keys, `${one}\n`);
    let readAgain = 0;
    const logger: Logger = {
      ...silentLogger,
      info: (text) => {
        if (text === 'gossip keys read again') readAgain++;
      },
    };
    const flags = { 'gossip.protocol': protocol, 'gossip.keys': keys };
    const ports = await freePorts();
    const made = (['a', 'b'] as const).map((name) => {
      const config = configOf(name, ports, flags);
      return createGossip(config, openGossipKeys(config), metaOf(name), new NodeTimers(), logger);
    });
    t.after(() => made.map(({ close }) => close()));
    const gossips = made.map(({ gossip }) => gossip);
    t.after(() => Promise.all(gossips.map((gossip) => gossip.stop())));
    for (const gossip of gossips) await gossip.start();
    await until(() => isTogether(gossips));
    await writeFile(keys, `${two}\n${one}\n`);
    await until(() => readAgain === 2);
    assert.ok(isTogether(gossips));
  });
}

test('the zone of a node, as configured, is known to the others', async (t) => {
  const ports = await freePorts();
  const made = (['a', 'b'] as const).map((name) => {
    const config = configOf(name, ports, { 'node.zone': `rack-of-${name}` });
    const { uuid, startCounter, version, peerAddress } = metaOf(name);
    const meta = gossipMeta(config, { uuid, startCounter }, { version, peerAddress });
    return createGossip(config, null, meta, new NodeTimers(), silentLogger).gossip;
  });
  t.after(() => Promise.all(made.map((gossip) => gossip.stop())));
  for (const gossip of made) await gossip.start();
  await until(() => isTogether(made));
  for (const gossip of made) {
    for (const name of ['a', 'b']) assert.equal(zoneIn(gossip.members(), nodeId(name)), `rack-of-${name}`);
    assert.equal(zoneIn(gossip.members(), nodeId('c')), null);
  }
});

test('a key file that changes while the node starts is read again at once; one that does not is not told of', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-gossip-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const keys = join(folder, 'keys');
  const [one, two] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const told: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (text) => told.push(text),
    error: (text) => told.push(text),
  };
  const config = configOf('a', { a: 7401, b: 7411 }, { 'gossip.keys': keys });
  const idsAfter = async (text: string | null) => {
    await writeFile(keys, `${one}\n`);
    const ring = openGossipKeys(config)!;
    if (text === null) await rm(keys);
    else await writeFile(keys, text);
    told.splice(0);
    createGossip(config, ring, metaOf('a'), new NodeTimers(), logger).close();
    return ring.keys.map(({ secret }) => Buffer.from(secret).toString('base64'));
  };
  assert.deepEqual([await idsAfter(`${two}\n${one}\n`), told], [[two, one], ['gossip keys read again']]);
  assert.deepEqual([await idsAfter(`# the same\n${one}\n`), told], [[one], []]);
  assert.deepEqual([await idsAfter(null), told], [[one], ['gossip keys stay as they were']]);
});

test('a key file that is missing or none is refused with its path, and no key is shown', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-gossip-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const keys = join(folder, 'keys');
  const data = join(folder, 'data');
  const config = configOf('a', { a: 7401, b: 7411 }, { 'gossip.keys': keys, data });
  const make = () => runNode(config);
  await assert.rejects(make, { code: 'GOSSIP_OPTIONS', message: /gossip\.keys: .*ENOENT/ });
  await writeFile(keys, 'c2hvcnQ=\n');
  await assert.rejects(make, (error: Error) => /gossip\.keys: .*line 1: expected 32/.test(error.message));
  assert.ok(!existsSync(data), 'nothing is opened before');
});

test('of many peers each node looks for other ones, by which all are reached', () => {
  const count = 40;
  const ids = Array.from({ length: count }, (_, i) => `n${i}`);
  const peers = ids.map((id, i) => `${id}=10.0.0.1:${7000 + i}/10.0.0.1:${8000 + i}`).join(',');
  const seedsOf = (id: string) => {
    const flags = { 'node.id': id, 'cluster.peers': peers };
    return gossipSeeds(compileConfig({ flags, cwd: '/' }).config).map((seed) => Number(seed.split(':')[1]) - 8000);
  };
  const all = ids.map(seedsOf);
  assert.deepEqual(all[38], [39, ...Array(15).keys()]);
  for (let node = 0; node < count; node++) {
    assert.ok(!all[node]!.includes(node));
    assert.equal(all.filter((seeds) => seeds.includes(node)).length, seedsMax);
  }
  const ports = { a: 7401, b: 7411 };
  assert.deepEqual(gossipSeeds(configOf('b', ports, {})), ['127.0.0.1:7401']);
  const flags = { 'node.id': 'n0', 'cluster.peers': peers };
  const { config } = compileConfig({ flags, cwd: '/' });
  createGossip(config, null, metaOf('a'), new NodeTimers(), silentLogger).close();
});

test('a way to the seal without keys is refused', () => {
  assert.throws(() => configOf('a', { a: 7401, b: 7411 }, { 'gossip.seal': 'send-plain' }), /gossip\.keys with it/);
});

test('the health port is told as others reach it; a port that nobody can know is not told', () => {
  const told = (http: string) => {
    const config = configOf('a', { a: 7401, b: 7411 }, { 'listen.http': http });
    const { uuid, startCounter, version, peerAddress } = metaOf('a');
    return gossipMeta(config, { uuid, startCounter }, { version, peerAddress }).httpAddress;
  };
  assert.equal(told('0.0.0.0:7402'), '127.0.0.1:7402');
  assert.equal(told('10.0.0.1:7402'), '10.0.0.1:7402');
  assert.deepEqual([told('127.0.0.1:0'), told('off')], [null, null]);
});
