import { LogError } from '@holdfast/engine';
import { getLastVersion } from 'lmdb';
import type { LmdbEnv } from './lmdb-env.ts';
import type { EncodedBlock } from './log-block.ts';
import { blockKey, encodeHead, headKey, type LogTables, type StoredTopic } from './log-tables.ts';

interface Waiting {
  readonly topic: StoredTopic;
  readonly partition: number;
  readonly blocks: readonly EncodedBlock[];
  readonly bytes: number;
  resolve(offset: number): void;
  reject(error: unknown): void;
}

/** Lost this often to appends of other processes, the rest is written with them shut out. */
const optimisticRoundsMax = 3;
/** Blocks per transaction, more only for a single append: the lock that all processes share is held while they are written. */
const transactionBytesMax = 4 * 1024 * 1024;

/**
 * Gives out offsets and writes blocks: a group of waiting appends per transaction, each partition's on condition that
 * its end is still where it was read. Appends of one process to a partition keep their order.
 */
export class LogAppender {
  readonly #env: LmdbEnv;
  readonly #tables: LogTables;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(env: LmdbEnv, tables: LogTables) {
    this.#env = env;
    this.#tables = tables;
  }

  /** Resolves with the first record's offset once all are durable. */
  append(topic: StoredTopic, partition: number, blocks: readonly EncodedBlock[]): Promise<number> {
    const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, partition, blocks, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // A turn later, so that the appends made together start together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < this.#waiting.length && (count === 0 || bytes < transactionBytesMax)) {
        bytes += this.#waiting[count++]!.bytes;
      }
      const group = this.#waiting.splice(0, count);
      try {
        await this.#writeGroup(group);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
    this.#running = null;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const byPartition = new Map<string, Waiting[]>();
    for (const waiting of group) {
      const name = `${waiting.topic.number}/${waiting.partition}`;
      const list = byPartition.get(name);
      if (list === undefined) byPartition.set(name, [waiting]);
      else list.push(waiting);
    }
    let open = [...byPartition.values()];
    for (let round = 0; open.length > 0 && round < optimisticRoundsMax; round++) {
      this.#env.refresh();
      const plans = this.#plan(open);
      if (plans.length === 0) return;
      const { heads } = this.#tables;
      const done = await this.#env.write(() =>
        plans.map((plan) => heads.ifVersion(plan.key, plan.version, () => this.#put(plan))),
      );
      open = [];
      plans.forEach((plan, i) => {
        if (done[i]) plan.answer();
        else open.push(plan.list);
      });
    }
    if (open.length === 0) return;
    const plans = await this.#env.exclusive(() => {
      const all = this.#plan(open);
      for (const plan of all) this.#put(plan);
      return all;
    });
    for (const plan of plans) plan.answer();
  }

  /** Offsets for each partition's appends, by the ends as read now; those of a topic that is gone are refused. */
  #plan(lists: readonly Waiting[][]): Plan[] {
    const plans: Plan[] = [];
    for (const list of lists) {
      const { topic, partition } = list[0]!;
      const key = headKey(topic.number, partition);
      const head = this.#tables.heads.getBinary(key);
      if (head === undefined) {
        const error = new LogError('UNKNOWN_TOPIC', `topic ${topic.topic} was deleted`);
        for (const waiting of list) waiting.reject(error);
      } else plans.push(new Plan(list, key, head.readDoubleLE(0), getLastVersion()));
    }
    return plans;
  }

  #put(plan: Plan): void {
    const { heads, blocks } = this.#tables;
    void heads.put(plan.key, encodeHead(plan.end), plan.version + 1);
    for (const { key, bytes } of plan.blocks) void blocks.put(key, bytes);
  }
}

/** Where one partition's appends go if its end is still at `version`. */
class Plan {
  readonly list: Waiting[];
  readonly key: Buffer;
  readonly version: number;
  readonly end: number;
  readonly blocks: { readonly key: Buffer; readonly bytes: Buffer }[] = [];
  readonly #starts: number[] = [];

  constructor(list: Waiting[], key: Buffer, head: number, version: number) {
    this.list = list;
    this.key = key;
    this.version = version;
    let next = head;
    for (const { topic, partition, blocks } of list) {
      this.#starts.push(next);
      for (const { bytes, count } of blocks) {
        this.blocks.push({ key: blockKey(topic.number, partition, next), bytes });
        next += count;
      }
    }
    this.end = next;
  }

  answer(): void {
    this.list.forEach((waiting, i) => {
      waiting.resolve(this.#starts[i]!);
    });
  }
}
