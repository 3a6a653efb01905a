import { type CommittedOffset, type Log, type LogReader, type Timers, type TopicInfo, within } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

/** Nobody answered within a command's timeout. */
export function unreachable(name: string, timeoutMs: number): CliError {
  const text = `${name} did not answer within ${timeoutMs / 1000}s; see to its brokers, or give a longer --timeout`;
  return new CliError(exitCodes.timedOut, 'LOG_UNREACHABLE', text);
}

/**
 * A log whose questions fail once a command's timeout is over: brokers that are away are asked for longer by the log
 * itself. An append has all the time that the log gives it: of one that is left nobody knows whether the log has it.
 */
export class BoundedLog implements Log {
  readonly #log: Log;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #timers: Timers;

  /** @param name of the log, with its addresses */
  constructor(log: Log, name: string, timeoutMs: number, timers: Timers) {
    this.#log = log;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#timers = timers;
  }

  describe(topic: string): Promise<TopicInfo | null> {
    return this.#bounded(this.#log.describe(topic));
  }

  openReader(topic: string, partition: PartitionId, fromOffset: number): Promise<LogReader> {
    return this.#bounded(this.#log.openReader(topic, partition, fromOffset));
  }

  committed(group: string, partition: PartitionId): Promise<CommittedOffset | null> {
    return this.#bounded(this.#log.committed(group, partition));
  }

  highestFence(): Promise<number> {
    return this.#bounded(this.#log.highestFence());
  }

  endOffsets(topic: string): Promise<number[]> {
    return this.#bounded(this.#log.endOffsets(topic));
  }

  offsetsAt(...args: Parameters<Log['offsetsAt']>): Promise<number[]> {
    return this.#bounded(this.#log.offsetsAt(...args));
  }

  createTopic(topic: string, partitions: number): Promise<TopicInfo> {
    return this.#log.createTopic(topic, partitions);
  }

  append(...args: Parameters<Log['append']>): Promise<number> {
    return this.#log.append(...args);
  }

  commit(...args: Parameters<Log['commit']>): ReturnType<Log['commit']> {
    return this.#log.commit(...args);
  }

  /** Ends what is still asked. */
  close(): Promise<void> {
    return this.#log.close();
  }

  async #bounded<T>(answer: Promise<T>): Promise<T> {
    const given = await within(this.#timers, this.#timeoutMs, answer);
    if (given === 'late') throw unreachable(this.#name, this.#timeoutMs);
    return given;
  }
}
