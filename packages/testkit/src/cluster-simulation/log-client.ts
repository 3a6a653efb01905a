import { type Log, LogError, type LogReader } from '@holdfast/engine';
import type { NodeId, PartitionId, Rng } from '@holdfast/model';
import type { RecordBatch } from '@holdfast/processor';
import { batchOf } from '../log-batch.ts';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { ClusterLog, LogPartition } from './cluster-log.ts';
import { ServiceLine } from './service-line.ts';

/** The log port of one thread. */
export function logClient(log: ClusterLog, time: VirtualTime, rng: Rng, nodeId: NodeId, thread: VirtualProcess): Log {
  const line = new ServiceLine(time, rng, thread);
  const call = <T>(name: string, partition: () => LogPartition | null, act: () => T): Promise<T> =>
    line.call({
      name,
      state: () => log.state(partition(), nodeId),
      act,
      failure: (text) => new LogError('LOG_IO', `the log ${text}`),
    });
  const group = (): null => null;
  return {
    describe: (topic) => call('describe', group, () => log.describe(topic)),
    createTopic: (topic, partitions) =>
      call('createTopic', group, () => log.describe(topic) ?? log.setTopic(topic, partitions)),
    openReader: (topic, { partition }, fromOffset) => {
      const at = (): LogPartition => log.partition(topic, partition);
      return call('openReader', at, () => new Reader(at(), fromOffset, thread, (act) => call('next', at, act)));
    },
    append: (topic, partition, records) =>
      call(
        'append',
        () => log.partition(topic, partition),
        () => log.append(topic, partition, records, thread.wallUnixMs()),
      ),
    committed: (_group, partition: PartitionId) =>
      call('committed', group, () => {
        const commit = log.committed(partition);
        return commit === undefined ? null : { offset: commit.offset, generationId: commit.generationId };
      }),
    commit: (_group, commits) => call('commit', group, () => commits.map((commit) => log.commit(commit))),
    highestFence: () => call('highestFence', group, () => log.highestFence),
    endOffsets: (topic) => call('endOffsets', group, () => log.offsetsAt(topic, 'latest')),
    offsetsAt: (topic, position, partitions) => {
      const only = partitions?.length === 1 ? () => log.partition(topic, partitions[0]!) : group;
      return call('offsetsAt', only, () => log.offsetsAt(topic, position, partitions));
    },
    close: async () => {},
  };
}

class Reader implements LogReader {
  readonly #partition: LogPartition;
  readonly #thread: VirtualProcess;
  readonly #call: (act: () => RecordBatch | null) => Promise<RecordBatch | null>;
  #position: number;
  #isClosed = false;

  constructor(
    partition: LogPartition,
    fromOffset: number,
    thread: VirtualProcess,
    call: (act: () => RecordBatch | null) => Promise<RecordBatch | null>,
  ) {
    this.#partition = partition;
    this.#position = fromOffset;
    this.#thread = thread;
    this.#call = call;
  }

  async next(bytesMax: number, waitMs: number): Promise<RecordBatch | null> {
    const { records } = this.#partition;
    if (this.#position > records.length) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${this.#position} of a partition that ends at ${records.length}`,
      );
    }
    if (this.#position === records.length) await this.#more(waitMs);
    if (this.#isClosed || this.#position >= records.length) return null;
    const batch = await this.#call(() => batchOf(records, this.#position, bytesMax));
    if (batch !== null) this.#position = batch.nextOffset;
    return batch;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #more(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { waiters } = this.#partition;
      // Told on the reader's own thread, like anything that comes from outside.
      const told = (): void => {
        waiters.delete(told);
        this.#thread.receive(0.1, 'records', () => {
          cancel();
          resolve();
        });
      };
      const cancel = this.#thread.setTimer(waitMs, () => {
        waiters.delete(told);
        resolve();
      });
      waiters.add(told);
    });
  }
}
