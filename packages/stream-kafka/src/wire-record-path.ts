import type { LogReader, NewRecord } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';
import type { KafkaCluster } from './cluster.ts';
import { KafkaReader } from './kafka-reader.ts';
import { PartitionProducer } from './partition-producer.ts';
import type { RecordPath } from './record-path.ts';
import type { Topics } from './topics.ts';

/** Reads and produces over this package's own protocol layer. */
export class WireRecordPath implements RecordPath {
  readonly #cluster: KafkaCluster;
  readonly #topics: Topics;
  readonly #readers = new Set<KafkaReader>();
  readonly #producers = new Map<string, PartitionProducer>();

  constructor(cluster: KafkaCluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  openReader(topic: string, partition: PartitionId, fromOffset: number): LogReader {
    const reader = new KafkaReader(this.#cluster, this.#topics, topic, partition, fromOffset, () =>
      this.#readers.delete(reader),
    );
    this.#readers.add(reader);
    return reader;
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    const key = `${topic}/${partition}`;
    let producer = this.#producers.get(key);
    if (producer === undefined) {
      producer = new PartitionProducer(this.#cluster, this.#topics, topic, partition);
      this.#producers.set(key, producer);
    }
    return producer.append(records);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
  }
}
