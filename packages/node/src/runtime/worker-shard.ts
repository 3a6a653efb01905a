import { Worker } from 'node:worker_threads';
import { type FromShard, type ShardPort, ShardStats, type ToShard } from '@holdfast/engine';
import type { TlsFiles } from '@holdfast/transport-grpc';
import type { NodeConfig } from '../config/node-config.ts';

export interface ShardWorkerData {
  readonly config: NodeConfig;
  /** Read once, by the control thread: both speak with the same certificate until the node ends. */
  readonly tls: TlsFiles | null;
  readonly shard: number;
  readonly stats: SharedArrayBuffer;
  readonly logPath: string;
  readonly storePath: string;
  /** Of the control thread's timers. */
  readonly zeroMs: number;
  readonly crashPath: string;
  /** Of the incarnation that it belongs to. */
  readonly counter: number;
}

/** What goes to the thread: the engine's messages, and the end of the thread, which is the node's business. */
export type ToShardWorker = ToShard | { readonly kind: 'close' };

/** What comes from it: the engine's messages; with its end, the address where it was to listen and another program does. */
export type FromShardWorker =
  | FromShard
  | (FromShard & { readonly kind: 'failed'; readonly busyAddress: string | null });

/**
 * A thread that doesn't end by then is stuck in user code or in a system call. Its node holds nothing meanwhile; long
 * enough for a write to end that waits for another process's, which may be stopped for a while.
 */
const closeTimeoutMs = 20_000;

/**
 * Parsed records die young. V8's default (16 MB) has them survive into the old generation while a batch is under way:
 * collection then cost a sixth of a shard's time.
 */
const youngGenerationMegabytes = 64;

/** A shard in a worker thread, as the control thread reaches it. */
export class WorkerShard implements ShardPort {
  readonly stats: ShardStats;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #listener: ((message: FromShard) => void) | null = null;
  readonly #early: FromShard[] = [];
  #closing: Promise<boolean> | null = null;
  #busyAddress: string | null = null;

  /** @param before the shard of the same index under the session before, whose counts go on */
  constructor(data: Omit<ShardWorkerData, 'stats'>, before: WorkerShard | undefined) {
    this.stats = new ShardStats();
    if (before !== undefined) this.stats.continueFrom(before.stats);
    this.#worker = new Worker(
      new URL(`./shard-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
      {
        workerData: { ...data, stats: this.stats.buffer } satisfies ShardWorkerData,
        name: `shard-${data.shard}`,
        resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMegabytes },
      },
    );
    this.#worker.on('message', (message: FromShardWorker) => {
      if ('busyAddress' in message) this.#busyAddress = message.busyAddress;
      this.#tell(message);
    });
    this.#worker.on('error', (error) => this.#tell({ kind: 'failed', error: String((error as Error).stack ?? error) }));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        if (this.#closing === null) this.#tell({ kind: 'failed', error: `its thread ended with code ${code}` });
        resolve();
      });
    });
  }

  /** Where it was to listen, if it ended since another program listens there. */
  get busyAddress(): string | null {
    return this.#busyAddress;
  }

  post(message: ToShardWorker): void {
    this.#worker.postMessage(message);
  }

  onMessage(listener: (message: FromShard) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  /** Ends the thread, with nothing saved. False: it is stuck, and only the end of the process helps. */
  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    this.post({ kind: 'close' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), closeTimeoutMs);
    });
    const outcome = await Promise.race([this.#exited, late]);
    clearTimeout(timer);
    return outcome !== 'late';
  }

  #tell(message: FromShard): void {
    if (this.#closing !== null) return;
    if (this.#listener === null) this.#early.push(message);
    else this.#listener(message);
  }
}
