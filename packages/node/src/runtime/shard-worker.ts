import { parentPort, workerData } from 'node:worker_threads';
import { openCrashNotes } from '@holdfast/embedded';
import { defaultShardSettings, type FromShard, Shard, ShardStats, WaitingMessages } from '@holdfast/engine';
import { type NodeId, nodeId, type SessionId, type ShardIndex, shardIndex } from '@holdfast/model';
import { PinoLogger } from '@holdfast/telemetry';
import { GrpcRecordTransport, TransportError } from '@holdfast/transport-grpc';
import { advertisedHost } from '../config/advertised-host.ts';
import { loadJob } from '../job/load-job.ts';
import { closeAll, endShard } from './end-shard.ts';
import { NodeTimers } from './node-timers.ts';
import { openLog } from './services/open-log.ts';
import { openStore } from './services/open-store.ts';
import { ServiceError } from './services/service-error.ts';
import type { FromShardWorker, ShardWorkerData, ToShardWorker } from './worker-shard.ts';

/** More than a call of brokers that answer takes, and little beside what a node without a session waits for its shards. */
const brokerPatienceMs = 1_000;

/** The entry of a shard's thread: its own log, store and streams around one `Shard`. */
async function main(data: ShardWorkerData): Promise<void> {
  const port = parentPort!;
  const { config, tls, shard, stats, logPath, storePath } = data;
  const timers = new NodeTimers(data.zeroMs);
  const logger = PinoLogger.create({ level: config.logLevel, base: { node: config.nodeId, shard } });
  const send = (message: FromShard) => port.postMessage(message);
  const stop = new AbortController();
  const waiting = new WaitingMessages();
  let session: SessionId | null = null;
  let nodes: ReadonlyMap<number, NodeId> = new Map();
  let running: Shard | null = null;
  let close: (() => Promise<void>) | null = null;
  let closing: Promise<void> | null = null;
  port.on('message', (message: ToShardWorker) => {
    if (message.kind === 'close') {
      stop.abort();
      // Asked twice, what is closed is closed once.
      closing ??= close?.() ?? Promise.resolve();
      void closing.then(
        // Connections to nodes that don't answer would keep the thread for seconds more, and its node without a session.
        () => process.exit(),
        () => port.close(),
      );
      return;
    }
    if (message.kind === 'session') session = message.session as SessionId;
    if (message.kind === 'directory')
      nodes = new Map(message.sessions.map((entry) => [entry.session, nodeId(entry.nodeId)]));
    if (running !== null) return running.receive(message);
    const answer = waiting.add(message);
    if (answer !== null) send(answer);
  });
  const environment = { timers, logger, stop: stop.signal, isPatient: true };
  const log = await openLog(config, logPath, environment);
  const store = await openStore(config, storePath, environment).catch(async (error: unknown) => {
    await log.close();
    throw error;
  });
  if (stop.signal.aborted) {
    await closeAll([log, store]);
    return;
  }
  const { host, port: basePort } = config.listenShards;
  const transport = new GrpcRecordTransport({
    clusterId: config.clusterName,
    localShard: () => (session === null ? null : { session, shard: shardIndex(shard) }),
    host,
    advertisedHost: advertisedHost(config, config.listenShards),
    port: basePort === 0 ? 0 : basePort + shard,
    tls: tls === null ? null : { ...tls, nodeOf: (session) => nodes.get(session) ?? null },
  });
  const crashNotes = openCrashNotes(data.crashPath, shard, data.counter, (error) =>
    logger.warn('crash notes can not be written: a record that ends this process will not be known', { err: error }),
  );
  const made = new Shard({
    shard: shard as ShardIndex,
    job: await loadJob(config.job),
    log,
    store,
    transport,
    timers,
    logger,
    stats: new ShardStats(stats),
    send,
    crashNotes,
    limits: config.limits,
    settings: {
      ...defaultShardSettings,
      backupIntervalMs: config.backupIntervalMs,
      backupRowsMax: config.backupRowsMax,
      fetchBytesMax: config.fetchBytesMax,
      startPosition: config.startPosition,
    },
  });
  close = async () => {
    // Calls of the embedded log end by themselves, in this process.
    const logPatienceMs = config.log.kind === 'kafka' ? brokerPatienceMs : Number.POSITIVE_INFINITY;
    const ends = { close: () => endShard(made, log, timers, logPatienceMs) };
    await closeAll([ends, crashNotes, transport, store]);
  };
  await made.start();
  running = made;
  for (const message of waiting.take()) made.receive(message);
}

main(workerData as ShardWorkerData).catch((error: unknown) => {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // What an operator can mend is told in one line.
  const text = error instanceof ServiceError || error instanceof TransportError ? error.message : stack;
  const busyAddress = error instanceof TransportError && error.code === 'ADDRESS_IN_USE' ? error.address : null;
  parentPort!.postMessage({ kind: 'failed', error: text, busyAddress } satisfies FromShardWorker);
});
