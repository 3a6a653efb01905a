/**
 * Counters of one shard in a SharedArrayBuffer: the shard bumps plain slots, the control thread reads them for status
 * and metrics. One writer; a reader may see a value one record late, never a torn one.
 */
export const shardStatNames = [
  /** moves whenever the shard's loop turned: renewals prove progress with it */
  'heartbeat',
  'recordsRead',
  'recordsSkipped',
  'recordsDead',
  'recordsQuarantined',
  /** records put in frames for another shard / for this one */
  'recordsForwarded',
  'recordsLocal',
  'recordsApplied',
  'recordsDuplicate',
  /** records that a holder sent back */
  'recordsRefused',
  /** records read again after going back */
  'recordsReplayed',
  'rewinds',
  'unitsHeld',
  'unitsDirty',
  'unitsClaimed',
  'backupsAccepted',
  'backupsFenced',
  'backupBytes',
  'backupFailures',
  /** calls of the store that have failed and are tried again */
  'storeCallsFailing',
  /** by how many entries of the log the store is ahead of what this cluster can have given; 0: it isn't */
  'storeAheadEntries',
  /** age in ms of the oldest change that no accepted backup covers; 0: there is none */
  'oldestDirtyAgeMs',
  'outputsEmitted',
  'outputsAcked',
  /** outputs that their topic refused for their size: they are dead letters */
  'outputsTooLarge',
  'parkedRecords',
  'parkedBytes',
  'framesInFlight',
  /** of the partitions whose lag is known: records / how long the oldest waits / how old the oldest figure is / how many these are */
  'lagRecords',
  'lagMs',
  'lagAgeMs',
  'partitionsMeasured',
  'commits',
  /** commits of partitions that are read elsewhere by now */
  'commitsFenced',
  'partitionsRead',
  /** of these, partitions of which nothing could be read for 15 s */
  'partitionsStopped',
  /** nanoseconds of CPU-bound work per stage, timed per batch */
  'nsFetch',
  'nsRoute',
  'nsForward',
  'nsApply',
  'nsBackup',
  'streamsOpen',
  'streamsEnded',
  'uncleanEndsSeen',
  'unitsLostDirty',
  'unitsFaulty',
  /** units handed over to another shard by plan / moves that could not take effect, whose units opened again */
  'unitsMoved',
  'movesVoided',
  /** units that the present plan still has to hand over */
  'handOverLeft',
  /**
   * What a planned move, or any other clean end, costs a user: from the first record that comes back refused until those
   * that came back are applied by the next holder. Over the last few thousand; 0 before the first.
   */
  'pausesMeasured',
  'pauseP50Ms',
  'pauseP99Ms',
] as const;
export type ShardStatName = (typeof shardStatNames)[number];

/** Levels, not counts: they mean nothing once their shard is gone. */
const levels: readonly ShardStatName[] = [
  'unitsHeld',
  'unitsDirty',
  'oldestDirtyAgeMs',
  'parkedRecords',
  'parkedBytes',
  'framesInFlight',
  'lagRecords',
  'lagMs',
  'lagAgeMs',
  'partitionsMeasured',
  'partitionsRead',
  'partitionsStopped',
  'storeCallsFailing',
  'streamsOpen',
  'handOverLeft',
  'storeAheadEntries',
];

const indexOf = new Map<string, number>(shardStatNames.map((name, i) => [name, i]));

export class ShardStats {
  readonly buffer: SharedArrayBuffer;
  readonly values: Float64Array;

  constructor(buffer = new SharedArrayBuffer(shardStatNames.length * 8)) {
    this.buffer = buffer;
    this.values = new Float64Array(buffer);
  }

  /** Goes on with the counts of the shard before, whose place this one takes. */
  continueFrom(before: ShardStats): void {
    this.values.set(before.values);
    this.clearLevels();
  }

  /** The shard has ended: there is nothing in its queues. */
  clearLevels(): void {
    for (const name of levels) this.set(name, 0);
  }

  get(name: ShardStatName): number {
    return this.values[indexOf.get(name)!]!;
  }

  set(name: ShardStatName, value: number): void {
    this.values[indexOf.get(name)!] = value;
  }

  add(name: ShardStatName, by: number): void {
    this.values[indexOf.get(name)!]! += by;
  }

  /** Slot of a counter, for hot paths that write `values` directly. */
  static slot(name: ShardStatName): number {
    return indexOf.get(name)!;
  }
}
