import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { CallLane } from './call-lane.ts';
import { defaultLimits } from './limits.ts';
import { PeerConnection } from './peer-connection.ts';
import { GrpcPeerTransport } from './peer-transport.ts';
import { RaftLane } from './raft-lane.ts';
import { ServerHost } from './server-host.ts';

test('an attempt that got no answer is given up for a new one, once; a connection that is there is kept', async () => {
  // Nobody is there.
  const away = new PeerConnection('127.0.0.1:1', defaultLimits, null, 'two');
  const first = away.client;
  away.renew(first);
  const second = away.client;
  assert.notEqual(second, first);
  away.renew(first);
  assert.equal(away.client, second, 'another lane has done it already');
  away.close();

  const host = new ServerHost({});
  const there = new PeerConnection(await host.listen(), defaultLimits, null, 'two');
  await new Promise<void>((resolve, reject) =>
    there.client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve())),
  );
  const { client } = there;
  there.renew(client);
  assert.equal(there.client, client);
  there.close();
  await host.close();
});

test('where another node answers than the one that is meant, the address is looked up anew', async () => {
  const clusterId = 'cluster';
  const host = new ServerHost({});
  const other = new GrpcPeerTransport({ nodeId: nodeId('three'), clusterId, host, limits: {} });
  const address = await other.listen({ onRaft() {}, onUnreachable() {}, onCall: async () => new Uint8Array(0) });
  const hello = { clusterId, from: nodeId('one'), to: nodeId('two') };
  const connection = new PeerConnection(address, defaultLimits, null, 'two');
  try {
    let { client } = connection;
    const calls = new CallLane(connection, hello, defaultLimits);
    await assert.rejects(calls.call('any', new Uint8Array(0), 10_000), /this is node three, not two/);
    assert.notEqual(connection.client, client);
    calls.close();

    ({ client } = connection);
    await new Promise<void>((resolve) => {
      const raft = new RaftLane(connection, hello, defaultLimits, (up) => {
        assert.equal(up, false);
        raft.close();
        resolve();
      });
      raft.push(new Uint8Array(1));
    });
    assert.notEqual(connection.client, client);
  } finally {
    connection.close();
    await other.close();
  }
});
