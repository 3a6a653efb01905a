import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import type { TransportLimits } from './limits.ts';
import { GrpcPeerTransport } from './peer-transport.ts';
import { ServerHost } from './server-host.ts';

const [one, two] = [nodeId('one'), nodeId('two')];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (what: string): Uint8Array => new TextEncoder().encode(what);

/** Two transports; `answer` is what the second one says. */
async function pair(
  answer: (method: string, body: Uint8Array) => Promise<Uint8Array>,
  limits: Partial<TransportLimits> = {},
  clusterOfTwo = 'cluster',
) {
  const transports = [one, two].map(
    (id) =>
      new GrpcPeerTransport({
        nodeId: id,
        clusterId: id === two ? clusterOfTwo : 'cluster',
        host: new ServerHost({}),
        limits,
      }),
  );
  const [a, b] = transports as [GrpcPeerTransport, GrpcPeerTransport];
  const quiet = { onRaft: () => {}, onUnreachable: () => {} };
  await a.listen({ ...quiet, onCall: async () => new Uint8Array(0) });
  const address = await b.listen({ ...quiet, onCall: (_, method, body) => answer(method, body) });
  a.setPeers(new Map([[two, address]]));
  return { a, b, close: () => Promise.all([a.close(), b.close()]) };
}

test('many calls share a stream; each gets its own answer, in whatever order they come', async () => {
  const held: (() => void)[] = [];
  const { a, close } = await pair(async (method, body) => {
    if (method === 'slow') await new Promise<void>((resolve) => held.push(resolve));
    else for (const release of held.splice(0)) release();
    return bytes(`${method} ${text(body)}`);
  });
  try {
    const slow = Array.from({ length: 20 }, (_, i) => a.call(two, 'slow', bytes(String(i)), 10_000));
    assert.equal(text(await a.call(two, 'quick', bytes('q'), 10_000)), 'quick q');
    assert.deepEqual(
      (await Promise.all(slow)).map(text),
      Array.from({ length: 20 }, (_, i) => `slow ${i}`),
    );
  } finally {
    await close();
  }
});

test('a question or an answer that is too large fails alone; others on the stream go on', async () => {
  const frameBytesMax = 10_000;
  let release = (): void => {};
  const { a, close } = await pair(
    async (method) => {
      if (method === 'held') await new Promise<void>((resolve) => (release = resolve));
      return new Uint8Array(method === 'large' ? frameBytesMax : 1);
    },
    { frameBytesMax },
  );
  try {
    const held = a.call(two, 'held', bytes(''), 10_000);
    await assert.rejects(a.call(two, 'any', new Uint8Array(frameBytesMax), 10_000), {
      code: 'FAILED',
      message: /10000 bytes is over frameBytesMax/,
    });
    await assert.rejects(a.call(two, 'large', bytes(''), 10_000), {
      code: 'FAILED',
      message: /answer is over frameBytesMax/,
    });
    release();
    assert.equal((await held).length, 1);
  } finally {
    await close();
  }
});

test('more calls than may be under way fail at once, and what is under way is answered', async () => {
  const held: (() => void)[] = [];
  const { a, close } = await pair(
    async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return bytes('late');
    },
    { callsUnderWayMax: 2 },
  );
  try {
    const calls = [a.call(two, 'm', bytes(''), 10_000), a.call(two, 'm', bytes(''), 10_000)];
    await assert.rejects(a.call(two, 'm', bytes(''), 10_000), { code: 'FAILED', message: /2 calls wait/ });
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    for (const release of held) release();
    assert.deepEqual((await Promise.all(calls)).map(text), ['late', 'late']);
  } finally {
    await close();
  }
});

test('a node of another cluster is not to be reached, and says why', async () => {
  const { a, close } = await pair(async () => bytes(''), {}, 'elsewhere');
  try {
    await assert.rejects(a.call(two, 'm', bytes(''), 10_000), {
      code: 'UNREACHABLE',
      message: /this is cluster elsewhere, not cluster/,
    });
  } finally {
    await close();
  }
});

test('after the other side went away and came back the next call opens a stream anew', async () => {
  const { a, b, close } = await pair(async () => bytes('first'));
  const host = new ServerHost({});
  const again = new GrpcPeerTransport({ nodeId: two, clusterId: 'cluster', host });
  try {
    assert.equal(text(await a.call(two, 'm', bytes(''), 10_000)), 'first');
    await b.close();
    await assert.rejects(a.call(two, 'm', bytes(''), 10_000), { code: 'UNREACHABLE' });
    const quiet = { onRaft: () => {}, onUnreachable: () => {} };
    const address = await again.listen({ ...quiet, onCall: async () => bytes('second') });
    a.setPeers(new Map([[two, address]]));
    assert.equal(text(await a.call(two, 'm', bytes(''), 10_000)), 'second');
  } finally {
    await again.close();
    await close();
  }
});

test('a stream that nobody accepts fails its calls, and does not wait for their own times', async () => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { a, close } = await pair(async () => bytes(''), { connectTimeoutMs: 100 });
  try {
    a.setPeers(new Map([[two, `127.0.0.1:${(mute.address() as { port: number }).port}`]]));
    await assert.rejects(a.call(two, 'm', bytes(''), 60_000), { code: 'UNREACHABLE', message: /not accepted/ });
  } finally {
    for (const socket of sockets) socket.destroy();
    mute.close();
    await close();
  }
});
