import { assert, type PartitionId } from '@holdfast/model';
import type { RecordCounters } from '../counters.ts';
import type { OutputBuffer } from '../holder/output-buffer.ts';
import type { LeaseView } from '../lease-view.ts';
import { PartitionBook } from '../partition-book.ts';
import type { Parking } from './parking.ts';
import { PartitionReading } from './partition-reading.ts';
import type { StreamTable } from './stream-table.ts';

/** Where the records of an ingest are that it has read and doesn't know durable. */
export interface PendingPlaces {
  readonly streams: StreamTable;
  readonly parking: Parking;
  readonly outputs: OutputBuffer;
}

/** The partitions of one ingest: their readings, when these go back, and how far each is durable (PROTOCOL.md 3). */
export class Readings {
  readonly #leases: LeaseView;
  readonly #counters: RecordCounters;
  readonly #streams: StreamTable;
  readonly #parking: Parking;
  readonly #outputs: OutputBuffer;
  readonly #book = new PartitionBook();
  readonly #partitions = new Map<number, PartitionReading>();
  #uncleanSeen: number;
  #generationSeen: number;
  #numbers = 0;

  constructor(leases: LeaseView, counters: RecordCounters, { streams, parking, outputs }: PendingPlaces) {
    this.#leases = leases;
    this.#counters = counters;
    this.#streams = streams;
    this.#parking = parking;
    this.#outputs = outputs;
    this.#uncleanSeen = this.#uncleanOver() ?? -1;
    this.#generationSeen = leases.generationIndex();
  }

  [Symbol.iterator](): MapIterator<PartitionReading> {
    return this.#partitions.values();
  }

  /**
   * Begins a partition at `start`: everything below it is durable, as the store and the log of the generation said whose
   * entry is at `generationIndex`. Null where the table has gone on to another: a later `catchUp` would not lose it again.
   */
  begin(
    topic: string,
    id: PartitionId,
    leaseEpoch: number,
    start: number,
    generationIndex: number,
  ): PartitionReading | null {
    this.catchUp();
    if (generationIndex !== this.#generationSeen) return null;
    const slot = this.#book.slot(id);
    assert(!this.#partitions.has(slot), `partition ${id.partition} is being read already`);
    const reading = new PartitionReading(topic, id, slot, leaseEpoch, ++this.#numbers, start);
    this.#partitions.set(slot, reading);
    return reading;
  }

  /** Routes and commits nothing more of a partition. */
  lose(reading: PartitionReading): void {
    if (this.#partitions.get(reading.slot) !== reading) return;
    this.#partitions.delete(reading.slot);
    this.#dropPending(reading);
    reading.lost = true;
  }

  /**
   * Takes notice of unclean ends and generation entries before anything is routed or counted under a later index.
   * An unclean end sends every partition back to its first offset not known durable; a generation entry voids all
   * that is known, so all partitions are lost here and must be started anew from their least markers.
   */
  catchUp(): void {
    if (this.#leases.generationIndex() !== this.#generationSeen) {
      this.#generationSeen = this.#leases.generationIndex();
      for (const reading of [...this.#partitions.values()]) this.lose(reading);
      return;
    }
    if (this.#leases.uncleanCount() === this.#uncleanSeen) return;
    const over = this.#uncleanOver();
    if (over !== null) {
      this.#counters.uncleanEndsSeen += over - Math.max(this.#uncleanSeen, 0);
      this.#uncleanSeen = over;
    }
    for (const reading of this.#partitions.values()) this.goBack(reading);
  }

  /**
   * How many unclean ends there were, once the entry of the last is applied. Their count is raised first: what is read
   * again before that may go to the very holder that is about to lose it, so this end has to be seen again.
   */
  #uncleanOver(): number | null {
    const unclean = this.#leases.uncleanCount();
    const index = this.#leases.uncleanIndex();
    return this.#leases.tableIndex() >= index ? unclean : null;
  }

  /** Begins a new reading at the durable watermark: all that is pending is read and sent again. */
  goBack(reading: PartitionReading): void {
    const start = this.durableWatermark(reading);
    this.#dropPending(reading);
    reading.reading = ++this.#numbers;
    if (start < reading.position) this.#counters.rewinds++;
    reading.position = start;
  }

  #dropPending(reading: PartitionReading): void {
    reading.deadLetters = [];
    this.#parking.dropPartition(reading);
    this.#streams.dropPending(reading.slot);
  }

  /** The offset before the first pending record (3.3). Never falls. */
  durableWatermark(reading: PartitionReading): number {
    let least = reading.position;
    for (const stream of this.#streams) least = Math.min(least, stream.leastOffset(reading));
    least = Math.min(least, this.#parking.leastOffset(reading));
    reading.deadLetters = reading.deadLetters.filter(({ output }) => output > this.#outputs.acked);
    for (const { offset } of reading.deadLetters) if (offset < least) least = offset;
    assert(least >= reading.durable, `watermark fell from ${reading.durable} to ${least}`);
    reading.durable = least;
    return least;
  }
}
