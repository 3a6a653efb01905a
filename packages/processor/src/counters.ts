/**
 * What the cores count, as plain numbers that they bump. Names are those of the shard statistics, which the engine
 * copies them to.
 */
export class RecordCounters {
  recordsApplied = 0;
  recordsDuplicate = 0;
  recordsSkipped = 0;
  recordsDead = 0;
  /** Of these, those of quarantined units. */
  recordsQuarantined = 0;
  recordsRefused = 0;
  recordsReplayed = 0;
  recordsForwarded = 0;
  recordsLocal = 0;
  unitsClaimed = 0;
  unitsLostDirty = 0;
  /** Whose state couldn't be written or read. */
  unitsFaulty = 0;
  unitsMoved = 0;
  movesVoided = 0;
  backupsAccepted = 0;
  backupsFenced = 0;
  backupBytes = 0;
  outputsEmitted = 0;
  rewinds = 0;
  uncleanEndsSeen = 0;
}
