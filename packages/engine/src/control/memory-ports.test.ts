import { type PartitionId, topicId } from '@holdfast/model';
import type { HardState, RaftEntry, Snapshot } from '@holdfast/raft';
import type { BackupStore } from '../ports/backup-store.ts';
import type { Log, TopicInfo } from '../ports/log.ts';
import type { RaftRestored, RaftStorage } from '../ports/raft-storage.ts';
import { delay, type Timers } from '../ports/timers.ts';
import type { FromShard, ToShard } from '../shard-messages.ts';
import { ShardStats } from '../shard-stats.ts';
import type { ShardPort } from './shard-port.ts';

/** A disk that survives the member: what `persist` resolved is there at the next `load`. */
export class MemoryRaftStorage implements RaftStorage {
  readonly #timers: Timers;
  readonly identity: string;
  hardState: HardState = { term: 0, vote: null, commit: 0 };
  snapshot: Snapshot | null = null;
  entries: RaftEntry[] = [];
  writeMs = 1;
  failing = false;
  persistCount = 0;
  compactCount = 0;

  constructor(timers: Timers, identity = 'only-one') {
    this.#timers = timers;
    this.identity = identity;
  }

  async load(): Promise<RaftRestored> {
    return { hardState: this.hardState, snapshot: this.snapshot, entries: [...this.entries] };
  }

  async persist(write: Parameters<RaftStorage['persist']>[0]): Promise<void> {
    await delay(this.#timers, this.writeMs);
    if (this.failing) throw new Error('EIO');
    this.persistCount++;
    if (write.snapshot !== null) {
      this.snapshot = write.snapshot;
      this.entries = [];
    }
    const first = write.entries[0];
    if (first !== undefined) {
      this.entries = [...this.entries.filter((entry) => entry.index < first.index), ...write.entries];
    }
    if (write.hardState !== null) this.hardState = write.hardState;
  }

  async compact(snapshot: Snapshot, firstIndexKept: number): Promise<void> {
    await delay(this.#timers, this.writeMs);
    this.compactCount++;
    this.snapshot = snapshot;
    this.entries = this.entries.filter((entry) => entry.index >= firstIndexKept);
  }

  async close(): Promise<void> {}
}

const notNeeded = (): never => {
  throw new Error('not part of these tests');
};

/** As much of a log as the leader reads: topics. */
export class MemoryTopics {
  readonly topics = new Map<string, TopicInfo>();
  highestFence = 0;

  create(topic: string, partitions: number): void {
    this.topics.set(topic, { topic, topicId: topicId(`id-of-${topic}`), partitions });
  }

  get log(): Log {
    return {
      describe: async (topic) => this.topics.get(topic) ?? null,
      endOffsets: async (topic) => Array.from({ length: this.topics.get(topic)?.partitions ?? 0 }, () => 100),
      createTopic: notNeeded,
      openReader: notNeeded,
      append: notNeeded,
      committed: notNeeded,
      commit: notNeeded,
      highestFence: async () => this.highestFence,
      offsetsAt: notNeeded,
      close: async () => {},
    };
  }
}

/** As much of a store as the leader reads: its generation and its highest epoch. */
export class MemoryStoreLife {
  generation = 'generation-a';
  highest = 0;
  /** What is in it was in the store before. */
  continues = true;
  isDown = false;

  get store(): BackupStore {
    return {
      generationId: async () => this.#read(this.generation),
      adopt: async () => this.#read({ code: 'OK', results: [this.continues] }),
      highestEpoch: async () => this.#read(this.highest),
      claim: notNeeded,
      backup: notNeeded,
      mark: notNeeded,
      leastMarker: (_generationId: string, _partition: PartitionId) => notNeeded(),
      read: notNeeded,
      scan: notNeeded,
      close: async () => {},
    };
  }

  #read<T>(value: T): T {
    if (this.isDown) throw new Error('the store is down');
    return value;
  }
}

/** A shard that does nothing but answer, and bump its heartbeat while it isn't stuck. */
export class FakeShard implements ShardPort {
  readonly stats = new ShardStats();
  readonly received: ToShard[] = [];
  #listener: (message: FromShard) => void = () => {};
  readonly #timers: Timers;
  isStuck = false;
  isEnded = false;
  /** Answer `stop` with `stopped`. */
  stops = true;

  constructor(timers: Timers, address: string) {
    this.#timers = timers;
    const beat = (): void => {
      if (this.isEnded) return;
      if (!this.isStuck) this.stats.add('heartbeat', 1);
      timers.setTimer(100, beat);
    };
    beat();
    timers.setTimer(5, () => this.say({ kind: 'listening', address }));
  }

  onMessage(listener: (message: FromShard) => void): void {
    this.#listener = listener;
  }

  post(message: ToShard): void {
    this.received.push(message);
    if (message.kind === 'stop' && this.stops) this.#timers.setTimer(20, () => this.say({ kind: 'stopped' }));
    if (message.kind === 'query') {
      const view = { view: { events: 3 }, stateError: null };
      const user = { epoch: 1, ...view, backupAgeMs: null, dirty: true, recordsPerSec: null, applied: {} };
      this.#timers.setTimer(1, () => this.say({ kind: 'answer', id: message.id, user }));
    }
  }

  say(message: FromShard): void {
    if (!this.isEnded) this.#listener(message);
  }

  last<K extends ToShard['kind']>(kind: K): Extract<ToShard, { kind: K }> | undefined {
    return this.received.findLast((message): message is Extract<ToShard, { kind: K }> => message.kind === kind);
  }
}
