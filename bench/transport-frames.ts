/**
 * Frames through one gRPC stream over loopback, sender and holder in two processes, with a window of frames unsettled as an
 * ingest has. Usage: node --conditions=source bench/transport-frames.ts [recordsPerFrame] [recordBytes] [seconds] [receiveWindowBytes]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { sessionId, shardIndex, topicId } from '@holdfast/model';
import { RecordBlockWriter } from '@holdfast/processor';
import { GrpcRecordTransport } from '@holdfast/transport-grpc';

const [recordsPerFrame = 256, recordBytes = 230, seconds = 5, receiveWindowBytes = 4 * 1024 * 1024] = process.argv
  .slice(2)
  .map(Number);
const framesInFlightMax = 128;

const child = fork(
  new URL('../packages/transport-grpc/fixtures/frame-server.ts', import.meta.url),
  [String(receiveWindowBytes)],
  {
    execArgv: ['--conditions=source'],
  },
);
const [{ address }] = (await once(child, 'message')) as [{ address: string }];

const writer = new RecordBlockWriter();
const key = new Uint8Array(16).fill(97);
const value = new Uint8Array(recordBytes).fill(120);
for (let i = 0; i < recordsPerFrame; i++) {
  writer.append(i, i, i, 1_700_000_000_000 + i, key, 0, key.length, value, 0, value.length);
}
const block = writer.finish();

const transport = new GrpcRecordTransport({ clusterId: 'cluster', localShard: () => null });
let sent = 0;
let applied = 0;
let ready = true;
let stopped = false;
let allApplied: () => void = () => {};
const sender = transport.open(
  {
    from: { session: sessionId(1), shard: shardIndex(0) },
    to: { session: sessionId(2), shard: shardIndex(0) },
    incarnation: 1,
  },
  address,
  {
    onAccepted() {},
    onReturn(message) {
      applied = message.frame;
      if (stopped && applied === sent) allApplied();
      pump();
    },
    onDrain() {
      ready = true;
      pump();
    },
    onEnd(reason) {
      if (!stopped) throw new Error(reason);
    },
  },
);

function pump(): void {
  while (ready && !stopped && sent - applied < framesInFlightMax) {
    ready = sender.send({
      number: ++sent,
      tableIndex: 1,
      reading: 1,
      refusalSeen: 0,
      topic: 'access-log',
      partition: { topicId: topicId('t'), partition: 0 },
      durableWatermark: 0,
      baseOffset: sent * recordsPerFrame,
      count: recordsPerFrame,
      block,
    });
  }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
pump();
await wait(1_000);
child.send('report');
const [before] = (await once(child, 'message')) as [Report];
const cpuBefore = process.cpuUsage();
const startMs = performance.now();
await wait(seconds * 1_000);
child.send('report');
const [after] = (await once(child, 'message')) as [Report];
const elapsedSeconds = (performance.now() - startMs) / 1_000;
const cpu = process.cpuUsage(cpuBefore);
stopped = true;
if (applied < sent) await new Promise<void>((resolve) => (allApplied = resolve));

interface Report {
  readonly records: number;
  readonly rss: number;
  readonly cpu: NodeJS.CpuUsage;
}
const millions = (after.records - before.records) / 1e6;
const cpuSeconds = (usage: NodeJS.CpuUsage) => (usage.user + usage.system) / 1e6;
console.log(
  JSON.stringify({
    recordsPerFrame,
    recordBytes,
    receiveWindowBytes,
    frameBytes: block.length,
    recordsPerSecond: Math.round((millions * 1e6) / elapsedSeconds),
    megabytesPerSecond: Math.round((millions * 1e6 * block.length) / recordsPerFrame / elapsedSeconds / 1e6),
    senderCpuSecondsPerMillion: +(cpuSeconds(cpu) / millions).toFixed(3),
    receiverCpuSecondsPerMillion: +((cpuSeconds(after.cpu) - cpuSeconds(before.cpu)) / millions).toFixed(3),
    receiverRssMegabytes: Math.round(after.rss / 1e6),
    senderRssMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
    node: process.version,
  }),
);
sender.close();
await transport.close();
child.send('close');
