import { ByteFormatError, ByteReader, ByteWriter, type PartitionId, type TopicId, topicId } from '@holdfast/model';
import { partitionEndsMax, partitionsPerTopicMax } from './limits.ts';
import type { PartitionEnd } from './records.ts';

/**
 * Where partitions ended at some time, kept as bytes: what a cluster remembers of each released unit, for as long as it
 * lives. A thousand partitions are 6 KB, which a snapshot and a message to a shard take as they are; they are read where
 * one of them is asked for.
 *
 * The bytes: number of topics; of each, by id: the id, number of partitions, and of each, by number: by how much it is above
 * the one before, and its offset. Equal ends are equal bytes.
 */
export class PartitionEnds {
  readonly bytes: Uint8Array;
  /** By topic: offset of each partition, 0 for those that aren't named. */
  #offsets: ReadonlyMap<TopicId, Float64Array> | null = null;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Of a partition that is named twice, the last counts; one that no topic can have counts for nothing. */
  static of(ends: readonly PartitionEnd[]): PartitionEnds {
    const topics = new Map<TopicId, Map<number, number>>();
    for (const { topicId, partition, offset } of ends) {
      if (partition >= partitionsPerTopicMax) continue;
      let offsets = topics.get(topicId);
      if (offsets === undefined) topics.set(topicId, (offsets = new Map()));
      offsets.set(partition, offset);
    }
    const out = new ByteWriter(ends.length * 8 + 64).varint(topics.size);
    for (const [topicId, offsets] of [...topics].sort(([a], [b]) => (a < b ? -1 : 1))) {
      out.text(topicId).varint(offsets.size);
      let last = 0;
      for (const [partition, offset] of [...offsets].sort(([a], [b]) => a - b)) {
        out.varint(partition - last).varint(offset);
        last = partition;
      }
    }
    return new PartitionEnds(out.finish());
  }

  /** @param bytes as another one has them; they are kept. @throws ByteFormatError */
  static from(bytes: Uint8Array): PartitionEnds {
    read(bytes, () => {});
    return new PartitionEnds(bytes);
  }

  /** The same without a look at what they are: for bytes that were checked where they came from. */
  static trusted(bytes: Uint8Array): PartitionEnds {
    return new PartitionEnds(bytes);
  }

  equals(other: PartitionEnds): boolean {
    const [a, b] = [this.bytes, other.bytes];
    if (a === b) return true;
    if (a.length !== b.length) return false;
    // Ends of the same input begin with the same id, and differ in their last offset most often.
    for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
    return true;
  }

  /** By topic and partition. */
  list(): PartitionEnd[] {
    const ends: PartitionEnd[] = [];
    read(this.bytes, (topicId, partition, offset) => ends.push({ topicId, partition, offset }));
    return ends;
  }

  /** 0 for a partition that isn't named. */
  offsetOf({ topicId, partition }: PartitionId): number {
    this.#offsets ??= byTopic(this.bytes);
    return this.#offsets.get(topicId)?.[partition] ?? 0;
  }
}

/** @throws ByteFormatError */
function read(bytes: Uint8Array, each: (topicId: TopicId, partition: number, offset: number) => void): void {
  const input = new ByteReader(bytes);
  let count = 0;
  for (let topics = input.varint(); topics > 0; topics--) {
    const id = topicId(input.text());
    let partition = 0;
    for (let left = input.varint(); left > 0; left--) {
      partition += input.varint();
      if (partition >= partitionsPerTopicMax || ++count > partitionEndsMax)
        throw new ByteFormatError(`the end of partition ${partition} before byte ${input.position}`);
      each(id, partition, input.varint());
    }
  }
  if (!input.atEnd) throw new ByteFormatError(`bytes after the last end of a partition, at ${input.position}`);
}

function byTopic(bytes: Uint8Array): Map<TopicId, Float64Array> {
  const lengths = new Map<TopicId, number>();
  read(bytes, (topicId, partition) => lengths.set(topicId, partition + 1));
  const offsets = new Map([...lengths].map(([topicId, length]) => [topicId, new Float64Array(length)]));
  read(bytes, (topicId, partition, offset) => {
    offsets.get(topicId)![partition] = offset;
  });
  return offsets;
}
