/** One process of the lease benchmark: the shipped control plane, peer transport and Raft storage, and one asking shard. */
import { Worker } from 'node:worker_threads';
import { LmdbRaftStorage } from '@holdfast/embedded';
import { ControlPlane, type FromShard, type ShardPort, ShardStats, type Timers } from '@holdfast/engine';
import { type Logger, type NodeId, nodeId, SeededRng } from '@holdfast/model';
import { GrpcPeerTransport, ServerHost } from '@holdfast/transport-grpc';
import type { FromAskingShard, LeaseNodeSetup, NodeState, Reply, Request, ToAskingShard } from './bench-messages.ts';
import { LoopWatch } from './loop-watch.ts';

const setup = JSON.parse(process.argv[2]!) as LeaseNodeSetup;

class ProcessTimers implements Timers {
  monotonicMs(): number {
    return performance.now();
  }

  wallUnixMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    if (delayMs <= 0) {
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  }
}

/** A shard in a thread of its own, as in a node. */
class ThreadPort implements ShardPort {
  readonly stats = new ShardStats();
  readonly #worker = new Worker(new URL('./asking-shard.ts', import.meta.url), {
    workerData: { stats: this.stats.buffer },
  });
  readonly #early: FromShard[] = [];
  #listener: ((message: FromShard) => void) | null = null;

  constructor(onReply: (reply: Reply) => void) {
    this.#worker.on('error', fail);
    this.#worker.on('message', (message: FromAskingShard) => {
      if (message.kind === 'reply') onReply(message);
      else if (this.#listener === null) this.#early.push(message);
      else this.#listener(message);
    });
  }

  /** What makes room is chosen here: the shard knows what it asked for, not what it was given of what others asked. */
  post(message: ToAskingShard): void {
    if (message.kind === 'makeRoom') this.#listener?.({ kind: 'release', units: longestHeld(message.units) });
    else this.#worker.postMessage(message);
  }

  onMessage(listener: (message: FromShard) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }
}

/** Notes what the benchmark waits for; problems go to the parent's error stream. */
class BenchLogger implements Logger {
  snapshots = 0;
  debug(): void {}
  info(text: string): void {
    if (text === 'snapshot') this.snapshots++;
  }
  warn(text: string, fields?: object): void {
    console.error(setup.nodeId, text, JSON.stringify(fields));
  }
  error(text: string, fields?: object): void {
    console.error(setup.nodeId, text, fields);
  }
  child(): Logger {
    return this;
  }
}

/** No unit of this benchmark is used again, so those held longest have been idle longest. */
function longestHeld(count: number): Uint32Array {
  const { table, session } = control;
  const held: { readonly hi: number; readonly lo: number; readonly grantIndex: number }[] = [];
  table.visitUnits((hi, lo, holder, _shard, grantIndex) => {
    if (holder === session) held.push({ hi, lo, grantIndex });
  });
  const oldest = held.sort((a, b) => a.grantIndex - b.grantIndex).slice(0, count);
  const quadruples = oldest.flatMap(({ hi, lo, grantIndex }) => {
    const epoch = table.epochBase + grantIndex;
    return [hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0];
  });
  return Uint32Array.from(quadruples);
}

function fail(error: unknown): void {
  console.error(setup.nodeId, error);
  process.exit(1);
}

const tell = (message: Reply | { readonly kind: 'listening'; readonly address: string }): void => {
  process.send?.(message);
};
const timers = new ProcessTimers();
const logger = new BenchLogger();
const loop = new LoopWatch();
const shard = new ThreadPort(tell);
const host = new ServerHost();
const transport = new GrpcPeerTransport({ nodeId: nodeId(setup.nodeId), clusterId: 'leases', host });
const { sessionTtlMs, unitsMax } = setup;
let unitsMost = 0;
const control = await ControlPlane.start({
  nodeId: nodeId(setup.nodeId),
  version: '0.1.0',
  voters: setup.voters.map(nodeId),
  incarnation: { uuid: `bench-${setup.nodeId}`, counter: setup.counter },
  shards: [shard],
  transport,
  raftStorage: await LmdbRaftStorage.open(setup.dir),
  log: { describe: async () => null, endOffsets: async () => [], highestFence: async () => 0 },
  store: {
    generationId: async () => 'bench',
    adopt: async () => ({ code: 'OK', results: [true] }),
    highestEpoch: async () => 0,
  },
  topics: [],
  timers,
  rng: new SeededRng(setup.nodeId.charCodeAt(1) * 1_000 + setup.counter),
  logger,
  onSessionLost: (reason) => fail(new Error(`session lost: ${reason}`)),
  onFatal: fail,
  lease: {
    sessionTtlMs,
    renewEveryMs: sessionTtlMs / 4,
    holderStopMs: sessionTtlMs * 0.75,
    renewRetryMs: 100,
    ...(unitsMax === null ? {} : { unitsMax }),
  },
  compaction: { entriesMax: setup.snapshotEntries, bytesMax: 2 ** 30, trailingEntries: 100 },
});
control.onUpdate(() => {
  unitsMost = Math.max(unitsMost, control.table.unitCount);
});
tell({ kind: 'listening', address: control.peerAddress });

function state(): NodeState {
  const { user, system } = process.cpuUsage();
  const { leader } = control.leadership;
  return {
    isLeader: control.isLeader,
    leader,
    session: control.session ?? 0,
    sessions: [...control.table.sessions()].map((info) => ({ nodeId: info.nodeId, session: info.session })),
    units: control.table.unitCount,
    unitsMost,
    tableIndex: control.table.tableIndex,
    tableBytes: control.table.buffer.byteLength,
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.memoryUsage.rss(),
    loopStopMsMax: loop.stopMsMax,
    loopBusyMsMax: loop.busyMsMax,
    snapshots: logger.snapshots,
    uncleanCount: control.table.uncleanCount,
  };
}

/** Per session: units, and a sum over them and their epochs that no order of visits changes. */
function digest(): Record<string, string> {
  const sums = new Map<number, { units: number; sum: number }>();
  control.table.visitUnits((hi, lo, session, _shard, grantIndex) => {
    const at = sums.get(session) ?? { units: 0, sum: 0 };
    at.units++;
    at.sum = (at.sum + Math.imul(hi ^ Math.imul(lo, 0x9e37_79b9), (grantIndex * 2 + 1) | 0)) | 0;
    sums.set(session, at);
  });
  return Object.fromEntries([...sums].map(([session, { units, sum }]) => [session, `${units}/${sum}`]));
}

async function answer({ id, method, args }: Request): Promise<unknown> {
  switch (method) {
    case 'setPeers':
      control.setPeers(new Map(Object.entries(args as Record<string, string>) as [NodeId, string][]));
      return null;
    case 'state':
      return state();
    case 'resetLoop':
      loop.reset();
      return null;
    case 'digest':
      return digest();
    case 'transferLeader':
      return control.admin({ kind: 'transferLeader', to: String(args.to) }, 5_000);
    case 'end':
      setTimeout(() => process.exit(0), 50);
      return null;
    default:
      shard.post({ kind: 'request', id, method, args });
      return undefined;
  }
}

process.on('message', (request: Request) => {
  answer(request).then(
    (result) => {
      if (result !== undefined) tell({ id: request.id, result });
    },
    (error: unknown) => tell({ id: request.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
