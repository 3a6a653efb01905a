import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { SeededRng, shardIndex } from '@holdfast/model';
import { EventLog, sampleFrame } from '@holdfast/testkit';
import { HolderProcess, holderSession, Ingest, rawSocket, TcpProxy, toHolder } from '../fixtures/harness.ts';
import { asIs, paths } from './definitions.ts';
import { encodeFrame, encodeHello } from './frame-codec.ts';
import { GrpcRecordTransport, type TransportLimits } from './index.ts';

type HolderEvent = ['frame', number] | ['end', string];

const cleanups: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function holder(limits: Partial<TransportLimits> = {}) {
  const transport = new GrpcRecordTransport({
    clusterId: 'cluster',
    localShard: () => ({ session: holderSession, shard: shardIndex(0) }),
    limits,
  });
  cleanups.push(() => transport.close());
  const log = new EventLog<HolderEvent>();
  const address = await transport.listen((_stream, receiver) => ({
    onFrame: (frame) => {
      log.add(['frame', frame.number]);
      receiver.reply({ kind: 'applied', frame: frame.number });
    },
    onEnd: (reason) => log.add(['end', reason]),
  }));
  return { transport, log, address };
}

function ingest(limits: Partial<TransportLimits> = {}): Ingest {
  const made = new Ingest(limits);
  cleanups.push(() => made.transport.close());
  return made;
}

async function holderProcess(): Promise<HolderProcess> {
  const made = await HolderProcess.start();
  cleanups.push(() => made.kill());
  return made;
}

/** Sends a frame over a new stream and waits until it is applied. */
async function works(address: string): Promise<void> {
  const { sender, log } = ingest().open(address);
  sender.send(sampleFrame(1));
  const event = await log.find((e) => e[0] !== 'drain');
  assert.deepEqual(event, ['return', { kind: 'applied', frame: 1 }]);
  sender.close();
}

test('a holder that is killed in the middle: the stream ends, once, and nothing comes after', async () => {
  const server = await holderProcess();
  const { sender, log, ended } = ingest().open(server.address);
  let number = 0;
  while (sender.send(sampleFrame(++number, 50_000))) {}
  await log.count(5);
  await server.kill();
  assert.match(await ended, /UNAVAILABLE/);
  const { length } = log.events;
  assert.equal(sender.send(sampleFrame(number + 1)), false);
  sender.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(log.events.length, length);
});

test('a holder that stands still: send answers false and stays so; what is under way is bounded', async () => {
  const server = await holderProcess();
  const limits = { sendHighWaterBytes: 1_000_000, receiveWindowBytes: 1_000_000 };
  const { sender, log } = ingest(limits).open(server.address);
  sender.send(sampleFrame(1));
  await log.count(1);
  server.child.kill('SIGSTOP');
  let sent = 1;
  // Until nothing has moved for a quarter of a second.
  for (let moving = true; moving; ) {
    while (sender.send(sampleFrame(++sent, 50_000))) {}
    const something = log.count(log.events.length + 1).then(() => true);
    moving = await Promise.race([something, new Promise<false>((resolve) => setTimeout(resolve, 250, false))]);
  }
  // Our mark, and what the two kernels and the connection's window take.
  assert.ok(sent * 50_000 < 24_000_000, `${sent} frames taken`);
  server.child.kill('SIGCONT');
  await log.find((event) => event[0] === 'return' && event[1].kind === 'applied' && event[1].frame === sent);
  assert.ok(log.events.some((event) => event[0] === 'drain'));
});

test('a sender that ignores back pressure is stopped at sendBufferBytesMax', async () => {
  const server = await holderProcess();
  const { sender, log, ended } = ingest({ sendBufferBytesMax: 3_000_000 }).open(server.address);
  sender.send(sampleFrame(1));
  await log.count(1);
  server.child.kill('SIGSTOP');
  for (let i = 2; i < 1000; i++) sender.send(sampleFrame(i, 100_000));
  assert.match(await ended, /sendBufferBytesMax/);
});

test('a frame over the limit: not sent when it is over ours, refused with the reason when over theirs', async () => {
  const small = await holder({ frameBytesMax: 100_000 });
  const over = ingest().open(small.address);
  over.sender.send(sampleFrame(1, 100));
  over.sender.send(sampleFrame(2, 100_001));
  assert.match(await over.ended, /RESOURCE_EXHAUSTED: Received message larger than max \(1000\d\d vs 100000\)/);
  await small.log.find((event) => event[0] === 'end');
  assert.ok(!small.log.events.some((event) => event[1] === 2));

  const stream = ingest({ frameBytesMax: 1000 }).open(small.address);
  assert.equal(stream.sender.send(sampleFrame(1, 1000)), false);
  assert.match(await stream.ended, /frame 1 of 10\d\d bytes is over frameBytesMax, 1000/);
  await works(small.address);
});

test('bytes that are not of the protocol do no harm', async () => {
  const { address, log } = await holder();
  const rng = new SeededRng(7);
  const random = (length: number) => Uint8Array.from({ length }, () => rng.u32() & 0xff);
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
  const inputs = [
    random(5000),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    // The beginning of a TLS hello.
    Buffer.from('1603010200010001fc0303', 'hex'),
    Buffer.concat([preface, random(2000)]),
    // A settings frame that claims 16 MB; a frame of unknown type; a reset of a stream that never was.
    Buffer.concat([preface, Buffer.from('ffffff0400000000001234', 'hex')]),
    Buffer.concat([preface, Buffer.from('000000040000000000000001ff0000000001ff', 'hex')]),
    Buffer.concat([preface, Buffer.from('0000000400000000000000040300000000010000000c', 'hex')]),
    new Uint8Array(0),
  ];
  const sockets = await Promise.all(inputs.map((bytes) => rawSocket(address, bytes)));
  await works(address);
  for (const socket of sockets) socket.destroy();
  await works(address);
  assert.ok(log.events.length > 0);
});

test('messages that are not of the protocol: the stream is refused with the reason', async () => {
  const { address } = await holder({ helloTimeoutMs: 100 });
  const hello = encodeHello({ clusterId: 'cluster', stream: toHolder });
  const frame = encodeFrame(sampleFrame(1));
  const beyond = encodeFrame({ ...sampleFrame(1), number: 127 });
  // 127 is one byte as a varint: replaced by 2^60.
  const at = beyond.indexOf(Uint8Array.of(8, 127));
  const huge = Buffer.from([8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
  const inner = Buffer.concat([beyond.subarray(at, at), huge, beyond.subarray(at + 2)]);
  const unsafe = Buffer.concat([Buffer.from([0x12, (inner.length & 0x7f) | 0x80, inner.length >> 7]), inner]);
  const cases: readonly [readonly Buffer[], status, RegExp][] = [
    [[frame], status.INVALID_ARGUMENT, /frame before hello/],
    [[hello, hello], status.INVALID_ARGUMENT, /second hello/],
    [[hello, Buffer.from('ffff', 'hex')], status.INVALID_ARGUMENT, /bad message/],
    [[hello, Buffer.alloc(0)], status.INVALID_ARGUMENT, /neither hello nor frame/],
    [[hello, unsafe], status.INVALID_ARGUMENT, /frame.number is 1152921504606847000/],
    [[Buffer.from('0a020863', 'hex')], status.INVALID_ARGUMENT, /protocol version 99 instead of 3/],
    [[], status.DEADLINE_EXCEEDED, /no hello within 100 ms/],
  ];
  for (const [messages, code, reason] of cases) {
    const client = new Client(address, credentials.createInsecure());
    const call = client.makeBidiStreamRequest(paths.frames, asIs, asIs, new Metadata(), {});
    call.on('data', () => {});
    for (const message of messages) call.write(message);
    const [error] = (await once(call, 'error')) as [ServiceError];
    assert.equal(error.code, code);
    assert.match(error.details, reason);
    client.close();
  }
  await works(address);
});

test('decoding survives random bytes', async () => {
  const { decodeFrameMessage, decodeReturn } = await import('./frame-codec.ts');
  const { decodeRaftBatch, decodeCallRequest, decodeCallReply } = await import('./peer-codec.ts');
  const rng = new SeededRng(11);
  const valid = encodeFrame(sampleFrame(1, 30));
  for (let i = 0; i < 4_000; i++) {
    const bytes = i % 2 === 0 ? Buffer.from(valid) : Buffer.alloc(rng.u32() % 60);
    for (let j = 0; j < (i % 2 === 0 ? 3 : bytes.length); j++) bytes[rng.u32() % bytes.length] = rng.u32() & 0xff;
    for (const decode of [decodeFrameMessage, decodeReturn, decodeRaftBatch, decodeCallRequest, decodeCallReply]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
  }
});

test('a connection on which nothing comes any more is noticed by both ends within the keepalive bound', async () => {
  const limits = { keepaliveTimeMs: 200, keepaliveTimeoutMs: 200 };
  const far = await holder(limits);
  const proxy = new TcpProxy(far.address);
  const { sender, log, ended } = ingest(limits).open(await proxy.listen());
  sender.send(sampleFrame(1));
  await log.count(1);
  const frozenAt = performance.now();
  proxy.freeze();
  sender.send(sampleFrame(2));
  assert.match(await ended, /UNAVAILABLE/);
  await far.log.find((event) => event[0] === 'end');
  const noticedMs = performance.now() - frozenAt;
  assert.ok(noticedMs < 1_000, `noticed after ${noticedMs} ms`);
  assert.deepEqual(far.log.events.filter((event) => event[0] === 'frame').length, 1);
  await proxy.close();
});

test('somebody who takes the connection and says nothing: the stream ends after connectTimeoutMs', async () => {
  const far = await holder();
  const proxy = new TcpProxy(far.address);
  proxy.freeze();
  const startMs = performance.now();
  const { ended } = ingest({ connectTimeoutMs: 200 }).open(await proxy.listen());
  assert.match(await ended, /not accepted within 200 ms/);
  assert.ok(performance.now() - startMs < 1_000);
  await proxy.close();
});
