import type { LogReader, NewRecord } from '@holdfast/engine';
import type { PartitionId } from '@holdfast/model';

/** How records are read and produced: what a client can be chosen for. All else goes over the wire layer. */
export interface RecordPath {
  openReader(topic: string, partition: PartitionId, fromOffset: number): LogReader;
  /** At least one record; the topic and partition exist, or did a moment ago. Resolves with the first one's offset. */
  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>;
  close(): Promise<void>;
}
