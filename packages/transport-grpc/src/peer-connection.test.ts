import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from './limits.ts';
import { PeerConnection } from './peer-connection.ts';
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
