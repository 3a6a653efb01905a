import { LmdbBackupStore, LmdbLog } from '@holdfast/embedded';
import { hearHooks, obeyHooks } from './hooks.ts';
import { isShardThread, watchControl, watchLog, watchShard, watchStore } from './recorder.ts';

/**
 * Loaded into every thread of a node before the program (`node --import`): it stands beside the shipped code and writes
 * down what passes, so that nothing of it has to be in what ships.
 */
if (process.env.CHAOS_HISTORY !== undefined) {
  if (isShardThread) {
    watchShard();
    hearHooks();
    watchStore(LmdbBackupStore.prototype);
    watchLog(LmdbLog.prototype);
    if (process.env.CHAOS_SERVICES === '1') await watchServices();
  } else {
    watchControl();
    if (process.env.CHAOS_HOOKS !== undefined) obeyHooks(process.env.CHAOS_HOOKS);
  }
}

async function watchServices(): Promise<void> {
  const { RedisBackupStore } = await import('@holdfast/backup-redis');
  const { KafkaLog } = await import('@holdfast/stream-kafka');
  watchStore(RedisBackupStore.prototype);
  watchLog(KafkaLog.prototype);
}
