import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Client, credentials, Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { EventLog } from '@holdfast/testkit';
import { rawSocket } from '../fixtures/harness.ts';
import { asIs, paths, rawService } from './definitions.ts';
import { ServerHost, widenConnectionWindow } from './server-host.ts';

test('listens on loopback and tells the real port; the advertised host replaces the name only', async () => {
  const host = new ServerHost();
  const address = await host.listen();
  assert.match(address, /^127\.0\.0\.1:[1-9]\d*$/);
  await host.close();
  const advertised = new ServerHost({ host: '0.0.0.0', advertisedHost: 'node-1.example' });
  assert.match(await advertised.listen(), /^node-1\.example:[1-9]\d*$/);
  await advertised.close();
});

test('an address that is not ours to listen on', async () => {
  const host = new ServerHost({ host: '192.0.2.1' });
  await assert.rejects(host.listen(), { code: 'LISTEN_FAILED', address: '192.0.2.1:0' });
  await host.close();
});

test('close is done within its bound though streams and idle connections are open', async () => {
  const host = new ServerHost({ limits: { closeTimeoutMs: 100 } });
  const arrived = new EventLog<'arrived'>();
  host.addService(rawService('Records'), {
    Frames: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.resume();
      arrived.add('arrived');
    },
  });
  const address = await host.listen();
  const silent = await rawSocket(address, new Uint8Array(0));
  const client = new Client(address, credentials.createInsecure());
  const call = client.makeBidiStreamRequest(paths.frames, asIs, asIs, new Metadata(), {});
  call.write(Buffer.from('x'));
  call.resume();
  const ended = once(call, 'error');
  await arrived.count(1);
  const closedSilent = once(silent, 'close');
  const startMs = performance.now();
  await Promise.all([host.close(), host.close()]);
  assert.ok(performance.now() - startMs < 1_000);
  await ended;
  await closedSilent;
  const [host4, port] = address.split(':');
  await assert.rejects(once(connect(Number(port), host4), 'connect'), { code: 'ECONNREFUSED' });
  client.close();
});

test('the receive windows of a server are as wide as asked: reaches into grpc-js, so an upgrade must show that it still works', async () => {
  const bytes = 3_000_000;
  const host = new ServerHost({ limits: { receiveWindowBytes: bytes } });
  let widened: boolean | null = null;
  let streamWindow = 0;
  host.addService(rawService('Records'), {
    Frames: (call: ServerDuplexStream<Buffer, Buffer>) => {
      widened = widenConnectionWindow(call, bytes);
      const { stream } = (
        call as unknown as { call: { stream: { session: { localSettings: { initialWindowSize: number } } } } }
      ).call;
      streamWindow = stream.session.localSettings.initialWindowSize;
      call.end();
    },
  });
  const client = new Client(await host.listen(), credentials.createInsecure());
  const call = client.makeBidiStreamRequest(paths.frames, asIs, asIs, new Metadata(), {});
  call.resume();
  await once(call, 'status');
  assert.equal(widened, true);
  assert.equal(streamWindow, bytes);
  client.close();
  await host.close();
});
