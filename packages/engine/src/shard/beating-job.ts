import type { Job, JobRecord, KeyLocator, OutputSink, Verdict } from '@holdfast/processor';
import { ShardStats } from '../shard-stats.ts';
import { BeatingLocator } from './beating-locator.ts';

/**
 * A job whose every record moves the shard's heartbeat, as it is read and as it is applied: slow ones together take longer
 * than a session may go without progress, and each of them is progress. One that never returns still is none.
 */
export class BeatingJob implements Job {
  readonly #job: Job;
  readonly #showsEpoch: boolean;
  readonly #values: Float64Array;
  readonly #slot = ShardStats.slot('heartbeat');

  constructor(job: Job, stats: ShardStats) {
    this.#job = job;
    this.#showsEpoch = job.leaseEpoch !== undefined;
    this.#values = stats.values;
  }

  get name(): string {
    return this.#job.name;
  }

  get version(): string {
    return this.#job.version;
  }

  get inputs(): readonly string[] {
    return this.#job.inputs;
  }

  get outputs(): readonly string[] {
    return this.#job.outputs;
  }

  get idleMs(): number {
    return this.#job.idleMs;
  }

  get failureReason(): string {
    return this.#job.failureReason;
  }

  get leaseEpoch(): number {
    return this.#job.leaseEpoch ?? 0;
  }

  set leaseEpoch(value: number) {
    if (this.#showsEpoch) this.#job.leaseEpoch = value;
  }

  newKeyLocator(topic: string): KeyLocator {
    return new BeatingLocator(this.#job.newKeyLocator(topic), this.#values, this.#slot);
  }

  initialState(key: Uint8Array): unknown {
    return this.#job.initialState(key);
  }

  encodeState(state: unknown): Uint8Array {
    return this.#job.encodeState(state);
  }

  decodeState(bytes: Uint8Array): unknown {
    return this.#job.decodeState(bytes);
  }

  apply(state: unknown, key: Uint8Array, record: JobRecord, out: OutputSink): Verdict {
    this.#values[this.#slot]!++;
    return this.#job.apply(state, key, record, out);
  }

  view(state: unknown, key: Uint8Array): unknown {
    return this.#job.view(state, key);
  }
}
