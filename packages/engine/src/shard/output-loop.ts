import { hashUnit, unitHashOut } from '@holdfast/model';
import type { Output } from '@holdfast/processor';
import { LogError, type NewRecord } from '../ports/log.ts';
import { untilItWorks } from './backoff.ts';
import type { Attempt } from './held-back.ts';
import type { ShardContext } from './shard-context.ts';
import { letterOfOutput, shorterLetter } from './too-large.ts';

/** Where outputs come from and are acknowledged to: the holder's, or the ingest's dead letters. */
export interface OutputSource {
  take(max: number): Output[];
  acked(number: number): void;
}

type Addressed = NewRecord & { readonly topic: string };

/** What is left to append to a partition. */
interface Group {
  readonly topic: string;
  readonly partition: number;
  /** How many its topic had when it was chosen. */
  readonly partitions: number;
  left: NewRecord[];
}

/**
 * Publishes outputs in order, one append at a time, and acknowledges them once they are durable. One that its topic takes
 * in no form is durable as a dead letter: repeated for ever it would stop the shard, and left out it would be lost.
 */
export class OutputLoop {
  readonly #context: ShardContext;
  readonly #source: OutputSource;
  readonly #attempt: Attempt;
  readonly #partitions = new Map<string, number>();
  #next = 0;
  busy = false;

  constructor(context: ShardContext, source: OutputSource) {
    this.#context = context;
    this.#source = source;
    this.#attempt = context.heldBack.newAttempt();
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
    const refused: Addressed[] = [];
    if (!(await this.#appendAll(outputs, refused))) return;
    // Before anything counts as published: what no topic takes has to be in a letter.
    if (refused.length > 0 && !(await this.#appendAll(refused, []))) return;
    // One that has failed goes on with nothing that waited for this.
    if (this.#context.stopped) return;
    this.#context.options.stats.add('outputsAcked', outputs.length);
    this.#source.acked(outputs.at(-1)!.number);
  }

  /** False when stopped. Letters of outputs that are too large are added to `refused`. */
  async #appendAll(records: readonly Addressed[], refused: Addressed[]): Promise<boolean> {
    let rest = records;
    while (rest.length > 0) {
      const groups = await this.#grouped(rest);
      if (groups === null) return false;
      const left: Addressed[] = [];
      for (const group of groups) {
        if (!(await this.#appendGroup(group, refused))) return false;
        left.push(...group.left.map((record) => ({ ...record, topic: group.topic })));
      }
      rest = left;
    }
    return true;
  }

  /** By topic and partition, in order. Null when stopped. */
  async #grouped(records: readonly Addressed[]): Promise<Group[] | null> {
    const groups = new Map<string, Group>();
    for (const record of records) {
      const { topic } = record;
      const partition = await this.#partitionOf(topic, record.key);
      if (partition === null) return null;
      const id = `${topic}/${partition}`;
      let group = groups.get(id);
      if (group === undefined) {
        groups.set(id, (group = { topic, partition, partitions: this.#partitions.get(topic)!, left: [] }));
      }
      group.left.push(record);
    }
    return [...groups.values()];
  }

  /** False when stopped. What is left then is for other partitions: its topic has another number of them now. */
  async #appendGroup(group: Group, refused: Addressed[]): Promise<boolean> {
    const { topic, partition } = group;
    const { log, timers, logger } = this.#context.options;
    let isElsewhere = false;
    while (group.left.length > 0 && !isElsewhere) {
      this.#begin(topic);
      let isUnknown = false;
      const done = await untilItWorks(
        timers,
        async () => {
          try {
            await log.append(topic, partition, group.left);
            group.left = [];
          } catch (error) {
            if (!(error instanceof LogError)) throw error;
            // What is durable is not sent again.
            group.left = group.left.slice(error.appended);
            if (group.left.length === 0) return true;
            // Once it has been said again: a broker may know of a new topic later than others.
            if (error.code === 'UNKNOWN_TOPIC' && isUnknown && (await this.#isElsewhere(group))) {
              isElsewhere = true;
              return true;
            }
            isUnknown = error.code === 'UNKNOWN_TOPIC';
            if (error.code !== 'RECORD_TOO_LARGE' || !this.#replaceFirst(group, refused, error)) throw error;
          }
          return true;
        },
        (error, tries, retryInMs) => {
          this.#attempt.failed(error);
          logger.warn('outputs can not be published', { topic, partition, err: error, tries, retryInMs });
        },
        () => this.#context.stopped,
      );
      if (done === null) return false;
      this.#attempt.end();
    }
    return true;
  }

  /** The topic is gone, and is made again, or another one has its name. @throws LogError */
  async #isElsewhere({ topic, partitions: before }: Group): Promise<boolean> {
    const { log, settings } = this.#context.options;
    const { partitions } = await log.createTopic(topic, settings.outputPartitions);
    this.#partitions.set(topic, partitions);
    return partitions !== before;
  }

  #begin(topic: string): void {
    const { settings, timers } = this.#context.options;
    const what = topic === settings.deadLetterTopic ? 'letters' : 'outputs';
    this.#attempt.begin({ what, topic }, timers.monotonicMs());
  }

  /** Puts something smaller in the place of a record that its topic refuses. False: there is nothing smaller. */
  #replaceFirst(group: Group, refused: Addressed[], error: LogError): boolean {
    const { logger, settings, job, stats } = this.#context.options;
    const { topic, partition } = group;
    const [first, ...others] = group.left as [NewRecord, ...NewRecord[]];
    const fields = { topic, partition, id: first.headers?.id, valueBytes: first.value?.length ?? 0, err: error };
    if (topic === settings.deadLetterTopic) {
      const shorter = shorterLetter(first);
      if (shorter === null) return false;
      logger.warn('a dead letter is too large for its topic: it is cut', fields);
      group.left = [shorter, ...others];
      return true;
    }
    logger.error('an output is too large for its topic: it becomes a dead letter', fields);
    stats.add('outputsTooLarge', 1);
    group.left = others;
    const { key, value, headers = {} } = letterOfOutput(job, topic, first);
    refused.push({ topic: settings.deadLetterTopic, key, value, headers });
    return true;
  }

  /** By key, so that outputs of one key keep their order; without one, in turn. Null when stopped. */
  async #partitionOf(topic: string, key: Uint8Array | null): Promise<number | null> {
    let count = this.#partitions.get(topic);
    if (count === undefined) {
      const { log, timers, logger, settings } = this.#context.options;
      this.#begin(topic);
      const info = await untilItWorks(
        timers,
        () => log.createTopic(topic, settings.outputPartitions),
        (error, tries, retryInMs) => {
          this.#attempt.failed(error);
          logger.warn('an output topic can not be made', { topic, err: error, tries, retryInMs });
        },
        () => this.#context.stopped,
      );
      if (info === null) return null;
      this.#attempt.end();
      this.#partitions.set(topic, (count = info.partitions));
    }
    if (key === null) return this.#next++ % count;
    hashUnit(key, 0, key.length);
    return unitHashOut.lo % count;
  }
}
