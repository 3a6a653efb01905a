import { hashUnit, unitHashOut } from '@holdfast/model';
import type { Output } from '@holdfast/processor';
import type { NewRecord } from '../ports/log.ts';
import { untilItWorks } from './backoff.ts';
import type { ShardContext } from './shard-context.ts';

/** Where outputs come from and are acknowledged to: the holder's, or the ingest's dead letters. */
export interface OutputSource {
  take(max: number): Output[];
  acked(number: number): void;
}

/** Publishes outputs in order, one append at a time, and acknowledges them once they are durable. */
export class OutputLoop {
  readonly #context: ShardContext;
  readonly #source: OutputSource;
  readonly #partitions = new Map<string, number>();
  #next = 0;
  busy = false;

  constructor(context: ShardContext, source: OutputSource) {
    this.#context = context;
    this.#source = source;
  }

  kick(): void {
    if (this.busy) return;
    const outputs = this.#source.take(this.#context.options.settings.outputBatchMax);
    if (outputs.length === 0) return;
    this.busy = true;
    this.#publish(outputs)
      .catch((error) => this.#context.fail(error))
      .finally(() => {
        this.busy = false;
        this.#context.wake();
      });
  }

  async #publish(outputs: readonly Output[]): Promise<void> {
    const { log, timers, logger } = this.#context.options;
    const groups = new Map<string, { topic: string; partition: number; records: NewRecord[] }>();
    for (const { topic, key, value, headers } of outputs) {
      const partition = await this.#partitionOf(topic, key);
      if (partition === null) return;
      const id = `${topic}/${partition}`;
      let group = groups.get(id);
      if (group === undefined) groups.set(id, (group = { topic, partition, records: [] }));
      group.records.push({ key, value, headers });
    }
    for (const { topic, partition, records } of groups.values()) {
      const done = await untilItWorks(
        timers,
        () => log.append(topic, partition, records),
        (error, tries, retryInMs) =>
          logger.warn('outputs can not be published', { topic, partition, err: error, tries, retryInMs }),
        () => this.#context.stopped,
      );
      if (done === null) return;
    }
    this.#context.options.stats.add('outputsAcked', outputs.length);
    this.#source.acked(outputs.at(-1)!.number);
  }

  /** By key, so that outputs of one key keep their order; without one, in turn. Null when stopped. */
  async #partitionOf(topic: string, key: Uint8Array | null): Promise<number | null> {
    let count = this.#partitions.get(topic);
    if (count === undefined) {
      const { log, timers, logger, settings } = this.#context.options;
      const info = await untilItWorks(
        timers,
        () => log.createTopic(topic, settings.outputPartitions),
        (error, tries, retryInMs) =>
          logger.warn('an output topic can not be made', { topic, err: error, tries, retryInMs }),
        () => this.#context.stopped,
      );
      if (info === null) return null;
      this.#partitions.set(topic, (count = info.partitions));
    }
    if (key === null) return this.#next++ % count;
    hashUnit(key, 0, key.length);
    return unitHashOut.lo % count;
  }
}
