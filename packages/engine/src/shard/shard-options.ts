import type { Logger, ShardIndex } from '@holdfast/model';
import type { CrashNotes, Job, RecordLimits } from '@holdfast/processor';
import type { BackupStore } from '../ports/backup-store.ts';
import type { Log, TopicPosition } from '../ports/log.ts';
import type { RecordTransport } from '../ports/record-transport.ts';
import type { Timers } from '../ports/timers.ts';
import type { FromShard } from '../shard-messages.ts';
import type { ShardStats } from '../shard-stats.ts';
import type { TableView } from './shard-context.ts';

/** What a shard is made of. It owns none of the ports: who made them closes them. */
export interface ShardOptions {
  readonly shard: ShardIndex;
  readonly job: Job;
  readonly log: Log;
  readonly store: BackupStore;
  readonly transport: RecordTransport;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly stats: ShardStats;
  /** Of this shard and its process alone. */
  readonly crashNotes: CrashNotes;
  /** Takes the shard's messages to the control thread. */
  readonly send: (message: FromShard) => void;
  readonly limits: RecordLimits;
  readonly settings: ShardSettings;
  /** How the shared table is read. A test may have it move between any two reads, as another thread does. */
  readonly openTable?: (buffer: SharedArrayBuffer) => TableView;
}

export interface ShardSettings {
  /** Dead letters of every job go here, with reason and position. */
  readonly deadLetterTopic: string;
  /** Time between the beginnings of two backup rounds: what a crash costs in replay. */
  readonly backupIntervalMs: number;
  /** Rows in one call of the store: larger is cheaper per row, but longer in one transaction. */
  readonly backupRowsMax: number;
  /** How old a frame may get before it leaves less than full. */
  readonly frameAgeMs: number;
  readonly commitIntervalMs: number;
  /** Bytes asked of the log at once. */
  readonly fetchBytesMax: number;
  readonly outputBatchMax: number;
  /** Partitions of output and dead-letter topics that have to be created. */
  readonly outputPartitions: number;
  /** Where a job begins that never committed. */
  readonly startPosition: TopicPosition;
}

export const defaultShardSettings: ShardSettings = {
  deadLetterTopic: 'holdfast.dead-letters',
  backupIntervalMs: 30_000,
  backupRowsMax: 512,
  frameAgeMs: 5,
  commitIntervalMs: 1_000,
  fetchBytesMax: 256 * 1024,
  outputBatchMax: 1_000,
  outputPartitions: 3,
  startPosition: 'earliest',
};
