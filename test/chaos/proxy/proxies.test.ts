import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { waitFor } from '../../cluster/support/wait.ts';
import { type LinkFaults, noFaults, overtakenByMs } from './link-faults.ts';
import { TcpFaultProxy } from './tcp-proxy.ts';
import { UdpProxy } from './udp-proxy.ts';

const host = '127.0.0.1';

/** An echo of datagrams behind a proxy, and a client before it. */
async function datagrams(faults: Partial<LinkFaults>, use: (udp: Datagrams) => Promise<void>): Promise<void> {
  const echo = createSocket('udp4');
  echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address));
  echo.bind(0, host);
  await once(echo, 'listening');
  const there: LinkFaults = { ...noFaults, ...faults };
  const proxy = await UdpProxy.start({
    host,
    targetHost: host,
    targetPort: echo.address().port,
    there,
    back: { ...noFaults },
    rng: new SeededRng(7),
  });
  const client = createSocket('udp4');
  const heard: { readonly text: string; readonly atMs: number }[] = [];
  client.on('message', (bytes) => heard.push({ text: bytes.toString(), atMs: performance.now() }));
  client.bind(0, host);
  await once(client, 'listening');
  try {
    await use({ client, proxy, there, heard, send: (text) => client.send(text, proxy.port, host) });
  } finally {
    client.close();
    proxy.close();
    echo.close();
  }
}

interface Datagrams {
  readonly client: UdpSocket;
  readonly proxy: UdpProxy;
  readonly there: LinkFaults;
  readonly heard: readonly { readonly text: string; readonly atMs: number }[];
  send(text: string): void;
}

test('datagrams pass as they are, and the way back is found', () =>
  datagrams({}, async ({ send, heard }) => {
    for (const text of ['a', 'b']) send(text);
    await waitFor('both', 10_000, () => (heard.length === 2 ? true : null), 5);
    assert.deepEqual(heard.map(({ text }) => text).sort(), ['a', 'b']);
  }));

test('a delay and its jitter', () =>
  datagrams({ delayMs: 80, jitterMs: 40 }, async ({ send, heard }) => {
    const startMs = performance.now();
    for (let i = 0; i < 50; i++) send(`${i}`);
    await waitFor('all', 10_000, () => (heard.length === 50 ? true : null), 5);
    const tookMs = heard.map(({ atMs }) => atMs - startMs);
    assert.ok(Math.min(...tookMs) >= 38, `${Math.min(...tookMs)} ms`);
    // By the order, which a machine that stands still doesn't change.
    const order = heard.map(({ text }) => Number(text));
    assert.ok(order.filter((n, i) => i > 0 && n < order[i - 1]!).length > 5, 'they spread');
  }));

test('loss, duplicates and overtaking, in about the parts that were asked for', () =>
  datagrams({ lossRatio: 0.2, duplicateRatio: 0.5, reorderRatio: 0.5 }, async ({ send, heard, proxy }) => {
    const startMs = performance.now();
    for (let i = 0; i < 400; i++) {
      send(`${i}`);
      // All at once wouldn't fit into a socket's buffer.
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await waitFor('what passes', 10_000, () => {
      const { lost, doubled, passed } = proxy.counts;
      // What has passed both ways.
      return lost + heard.length - doubled === 400 && passed === 2 * heard.length ? true : null;
    });
    const { lost, doubled, overtaken } = proxy.counts;
    assert.ok(lost > 40 && lost < 130, `${lost} lost of 400`);
    assert.ok(doubled > 100 && doubled < 220, `${doubled} doubled of ${400 - lost}`);
    assert.ok(overtaken > 150, `${overtaken} overtaken`);
    const order = heard.map(({ text }) => Number(text));
    assert.ok(
      order.some((n, i) => i > 0 && n < order[i - 1]!),
      'some came after later ones',
    );
    assert.ok(heard.some(({ atMs }) => atMs - startMs >= overtakenByMs - 2));
  }));

test('a clog holds everything until it ends; silence is for ever', () =>
  datagrams({ isClogged: true }, async ({ send, heard, there }) => {
    send('held');
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(heard.length, 0);
    there.isClogged = false;
    await waitFor('what was held', 10_000, () => (heard.length === 1 ? true : null), 5);
    there.isSilent = true;
    send('gone');
    await new Promise((resolve) => setTimeout(resolve, 60));
    there.isSilent = false;
    send('after');
    await waitFor('what came after', 10_000, () => (heard.length === 2 ? true : null), 5);
    assert.equal(heard[1]!.text, 'after');
  }));

/** A server that keeps what it hears, behind a proxy, and a client before it. */
async function streams(use: (tcp: Streams) => Promise<void>): Promise<void> {
  const heard = { text: '', ended: 0, closed: 0 };
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => (heard.text += bytes.toString()));
    socket.on('end', () => heard.ended++);
    socket.on('error', () => {});
    socket.on('close', () => heard.closed++);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const there: LinkFaults = { ...noFaults };
  const back: LinkFaults = { ...noFaults };
  const { port } = server.address() as { port: number };
  const proxy = await TcpFaultProxy.start({
    host,
    targetHost: host,
    targetPort: port,
    there,
    back,
    rng: new SeededRng(7),
  });
  const client = connect(proxy.port, host);
  client.on('error', () => {});
  await once(client, 'connect');
  try {
    await use({ client, proxy, there, back, heard, sockets });
  } finally {
    client.destroy();
    for (const socket of sockets) socket.destroy();
    await proxy.close();
    server.close();
  }
}

interface Streams {
  readonly client: Socket;
  readonly proxy: TcpFaultProxy;
  readonly there: LinkFaults;
  readonly back: LinkFaults;
  readonly heard: { readonly text: string; readonly ended: number; readonly closed: number };
  readonly sockets: readonly Socket[];
}

test('a stream keeps its order under delay and jitter', () =>
  streams(async ({ client, there, heard }) => {
    Object.assign(there, { delayMs: 30, jitterMs: 30 });
    const sent = Array.from({ length: 40 }, (_, i) => `${i},`);
    const startMs = performance.now();
    for (const text of sent) {
      client.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waitFor('all of it', 3_000, () => (heard.text.length === sent.join('').length ? true : null), 5);
    assert.equal(heard.text, sent.join(''));
    assert.ok(performance.now() - startMs >= 25);
  }));

test('a clogged stream holds, then passes; a silent one way loses, while the other way carries', () =>
  streams(async ({ client, there, heard, sockets }) => {
    there.isClogged = true;
    client.write('held');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(heard.text, '');
    there.isClogged = false;
    await waitFor('what was held', 10_000, () => (heard.text === 'held' ? true : null), 5);
    there.isSilent = true;
    client.write('gone');
    sockets[0]!.write('back');
    const [back] = await once(client, 'data');
    assert.equal(String(back), 'back');
    assert.equal(heard.text, 'held');
  }));

test('half open: the end of a silent side is never heard; a reset is heard by both', () =>
  streams(async ({ client, proxy, there, heard }) => {
    client.write('x');
    await waitFor('the first byte', 10_000, () => (heard.text === 'x' ? true : null), 5);
    there.isSilent = true;
    client.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([heard.ended, heard.closed], [0, 0], 'the server knows nothing');
    assert.equal(proxy.reset(), 1);
    await waitFor('the reset', 10_000, () => (heard.closed === 1 ? true : null), 5);
  }));
