import assert from 'node:assert/strict';
import { promises } from 'node:dns';
import { mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeId, sessionId, shardIndex } from '@holdfast/model';
import { GrpcPeerTransport } from './peer-transport.ts';
import { GrpcRecordTransport } from './record-transport.ts';
import { ServerHost } from './server-host.ts';

const clusterId = 'cluster';
const limits = { connectTimeoutMs: 200 };
const empty = new Uint8Array(0);

/** What names lead to; null: nowhere. @returns how often a host was looked up */
function stubLookup(t: { after(fn: () => void): void }, addressOf: (host: string) => Promise<string | null>) {
  const stub = mock.method(promises, 'lookup', async (host: string) => {
    const address = await addressOf(host);
    if (address === null) throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
    return [{ address, family: 4 }];
  });
  t.after(() => stub.mock.restore());
  return (host: string) => stub.mock.calls.filter((call) => call.arguments[0] === host).length;
}

async function peers(t: { after(fn: () => Promise<void>): void }, host: string, onRaft = () => {}) {
  const handlers = { onRaft, onUnreachable() {}, onCall: async () => empty };
  const two = new GrpcPeerTransport({ nodeId: nodeId('two'), clusterId, host: new ServerHost({}), limits });
  const one = new GrpcPeerTransport({ nodeId: nodeId('one'), clusterId, host: new ServerHost({}), limits });
  t.after(async () => {
    await Promise.all([one.close(), two.close()]);
  });
  const port = portOf(await two.listen(handlers));
  one.setPeers(new Map([[nodeId('two'), `${host}:${port}`]]));
  return one;
}

const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);

test('a peer is reached though looking up its name takes longer than connecting may', async (t) => {
  const lookups = stubLookup(t, () => sleep(900, '127.0.0.1'));
  let onRaft = (): void => {};
  const raftCame = new Promise<void>((resolve) => {
    onRaft = resolve;
  });
  const one = await peers(t, 'slow-peer.test', onRaft);
  one.sendRaft(nodeId('two'), [{ type: 'timeoutNow', from: nodeId('one'), to: nodeId('two'), term: 1 }]);
  assert.deepEqual(await one.call(nodeId('two'), 'any', empty, 10_000), empty);
  await raftCame;
  assert.equal(lookups('slow-peer.test'), 1);
});

test('a record stream is accepted though looking up a name takes longer than connecting may', async (t) => {
  let isFirst = true;
  stubLookup(t, async () => {
    // The second lookup has no end: the last answer serves meanwhile.
    await (isFirst ? sleep(900) : new Promise(() => {}));
    isFirst = false;
    return '127.0.0.1';
  });
  const [from, to] = [1, 2].map((id) => ({ session: sessionId(id), shard: shardIndex(0) }));
  const holder = new GrpcRecordTransport({ clusterId, localShard: () => to!, limits });
  const ingest = new GrpcRecordTransport({ clusterId, localShard: () => from!, limits });
  t.after(async () => {
    await Promise.all([ingest.close(), holder.close()]);
  });
  const address = `slow-shard.test:${portOf(await holder.listen(() => ({ onFrame() {}, onEnd() {} })))}`;
  for (const incarnation of [1, 2]) {
    await new Promise<void>((onAccepted, onEnd) => {
      const stream = { from: from!, to: to!, incarnation };
      ingest.open(stream, address, { onAccepted, onReturn() {}, onDrain() {}, onEnd });
    });
  }
});

test('a peer whose name leads elsewhere now is found within moments', async (t) => {
  let address: string | null = null;
  const lookups = stubLookup(t, async () => address);
  const one = await peers(t, 'moved-peer.test');
  const call = () => one.call(nodeId('two'), 'any', empty, 1_000);
  const beganMs = performance.now();
  await assert.rejects(call(), /moved-peer\.test can't be looked up: ENOTFOUND/);
  const untilAnother = async (change: string) => {
    address = change;
    const changedMs = performance.now();
    for (let error = ''; performance.now() - changedMs < 10_000; await sleep(20)) {
      const next = await call().then(
        () => 'answered',
        ({ message }: Error) => message,
      );
      if (error !== '' && next !== error) return next;
      error = next;
    }
    return 'nothing else';
  };
  // Nobody listens there.
  assert.match(await untilAnother('127.0.0.2'), /refused by 127\.0\.0\.2/);
  assert.equal(await untilAnother('127.0.0.1'), 'answered');
  const seconds = (performance.now() - beganMs) / 1_000;
  assert.ok(lookups('moved-peer.test') <= seconds + 2, `${lookups('moved-peer.test')} lookups in ${seconds} s`);
});
