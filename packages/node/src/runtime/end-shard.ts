import { delay, type Timers } from '@holdfast/engine';

interface Closable {
  close(): Promise<void>;
}

/**
 * Closes a shard, then its log. A shard that waits for its log longer than `logPatienceMs` (Kafka is asked again for
 * `kafka.retryTime`, which is more than a node waits for a shard) has the log closed meanwhile, which ends that. Nothing is
 * lost by it: a shard that is closed saves nothing any more, and a drain is over by then.
 * @param logPatienceMs Infinity: the log is closed last
 */
export async function endShard(shard: Closable, log: Closable, timers: Timers, logPatienceMs: number): Promise<void> {
  const ended = shard.close();
  if (logPatienceMs === Number.POSITIVE_INFINITY) return closeAll([{ close: () => ended }, log]);
  await Promise.race([Promise.allSettled([ended]), delay(timers, logPatienceMs)]);
  await closeAll([log, { close: () => ended }, log]);
}

/**
 * One after the other, also behind one that fails: what stays open keeps its connections, files and locks.
 * @throws what the first one that failed did
 */
export async function closeAll(closables: readonly { close(): Promise<void> | void }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closable of closables) {
    try {
      await closable.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
