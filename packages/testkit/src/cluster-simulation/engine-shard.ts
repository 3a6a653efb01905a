import {
  type FromShard,
  type LeasedPartition,
  Shard,
  type ShardOptions,
  ShardStats,
  type ToShard,
} from '@holdfast/engine';
import {
  type NodeId,
  type Rng,
  randomRatio,
  SeededRng,
  type SessionId,
  type ShardIndex,
  type ShardRef,
} from '@holdfast/model';
import type { ShardLife } from '../simulation/shard-life.ts';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import { LaggingTable } from './lagging-table.ts';

export interface EngineShardSettings {
  readonly nodeId: NodeId;
  readonly index: number;
  /** Different for every shard that ever lived. */
  readonly serial: number;
  readonly process: VirtualProcess;
  readonly rng: Rng;
  /** Messages between the threads of a process take up to so long. */
  readonly messageMsMax: number;
  /** The shard whose place it takes. */
  readonly before: EngineShard | undefined;
  /** Everything else that a shard is made of; called once the thread is there. */
  readonly options: (shard: EngineShard) => Omit<ShardOptions, 'shard' | 'timers' | 'stats' | 'send'>;
  readonly onEnded: (shard: EngineShard) => void;
}

/** A shipped `Shard` on a thread of its own, as a worker thread has it: messages take their time, in order. */
export class EngineShard implements ShardLife {
  readonly settings: EngineShardSettings;
  readonly thread: VirtualProcess;
  readonly stats = new ShardStats();
  readonly #shard: Shard;
  #session = 0;
  partitions: readonly LeasedPartition[] = [];
  isEnded = false;
  #listener: ((message: FromShard) => void) | null = null;
  readonly #early: FromShard[] = [];
  #table: LaggingTable | null = null;
  #lastInMs = 0;
  #lastOutMs = 0;

  constructor(settings: EngineShardSettings) {
    this.settings = settings;
    const { process, index, before } = settings;
    this.thread = process.newThread(`${index}`);
    if (before !== undefined) this.stats.continueFrom(before.stats);
    this.#shard = new Shard({
      ...settings.options(this),
      shard: index as ShardIndex,
      timers: this.thread,
      stats: this.stats,
      send: (message) => this.say(message),
      openTable: (buffer) => (this.#table = new LaggingTable(buffer, new SeededRng(settings.rng.u32()))),
    });
    this.thread.receive(1 + randomRatio(settings.rng) * 20, 'thread starts', () => {
      this.#shard.start().catch((error: unknown) => this.say({ kind: 'failed', error: String(error) }));
    });
  }

  get index(): number {
    return this.settings.index;
  }

  get session(): number {
    return this.#session;
  }

  /** The shard that streams may name; null while there is no session. */
  get ref(): ShardRef | null {
    return this.#session === 0 ? null : { session: this.#session as SessionId, shard: this.index as ShardIndex };
  }

  get isStuck(): boolean {
    return this.thread.isPaused;
  }

  set isStuck(value: boolean) {
    if (value) this.thread.pause(Number.MAX_SAFE_INTEGER);
    else this.thread.resume();
  }

  onMessage(listener: (message: FromShard) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  post(message: ToShard): void {
    const tableIndex = this.#table?.liveIndex() ?? 0;
    this.#deliver(`to shard: ${message.kind}`, () => {
      this.#table?.showUpTo(tableIndex);
      if (message.kind === 'session') this.#session = message.session;
      if (message.kind === 'partitions') this.partitions = message.partitions;
      this.#shard.receive(message);
    });
  }

  /** A message from the shard to its control thread. */
  say(message: FromShard): void {
    const { process, rng } = this.settings;
    const nowMs = process.worldMs;
    this.#lastOutMs = Math.max(this.#lastOutMs + 0.001, nowMs + 0.02 + randomRatio(rng) * this.settings.messageMsMax);
    process.receive(this.#lastOutMs - nowMs, `from shard: ${message.kind}`, () => {
      if (this.isEnded) return;
      if (this.#listener === null) this.#early.push(message);
      else this.#listener(message);
    });
  }

  /** Ends it in good order: its thread is over when `then` is called. */
  close(then: () => void): void {
    this.#deliver('to shard: close', () => {
      this.#shard.close().then(() => {
        const { process, rng } = this.settings;
        process.receive(randomRatio(rng), 'shard closed', () => {
          this.end();
          then();
        });
      });
    });
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.thread.die();
    this.settings.onEnded(this);
  }

  #deliver(name: string, act: () => void): void {
    if (this.isEnded) return;
    const nowMs = this.settings.process.worldMs;
    this.#lastInMs = Math.max(
      this.#lastInMs + 0.001,
      nowMs + 0.02 + randomRatio(this.settings.rng) * this.settings.messageMsMax,
    );
    this.thread.receive(this.#lastInMs - nowMs, name, act);
  }
}
