import type { BackupStore } from '../ports/backup-store.ts';
import type { Log } from '../ports/log.ts';

export type EpochStore = Pick<BackupStore, 'highestEpoch'>;
export type EpochLog = Pick<Log, 'highestFence'>;

/** What a new cluster's epochs have to be above: 0 where neither store nor log has served a cluster. */
export async function epochBaseOf(store: EpochStore, log: EpochLog): Promise<number> {
  // The log may outlive the store, and the other way round: neither must fence what is granted from now on.
  return Math.max(await store.highestEpoch(), await log.highestFence());
}
