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
  if (logPatienceMs !== Number.POSITIVE_INFINITY) {
    await Promise.race([ended, delay(timers, logPatienceMs)]);
    await log.close();
  }
  await ended;
  await log.close();
}
