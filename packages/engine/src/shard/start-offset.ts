import type { LeasedPartition } from '../shard-messages.ts';
import type { KnownGeneration } from './shard-context.ts';
import type { ShardOptions } from './shard-options.ts';

/** What finding a start needs of the shard. */
export interface StartOptions {
  readonly log: Pick<ShardOptions['log'], 'committed' | 'commit' | 'offsetsAt'>;
  readonly store: Pick<ShardOptions['store'], 'leastMarker'>;
  readonly job: Pick<ShardOptions['job'], 'name'>;
  readonly settings: Pick<ShardOptions['settings'], 'startPosition'>;
}

/**
 * Where reading a partition begins (PROTOCOL.md 3.1): at the committed offset if it names the store's generation, else at
 * the least marker; without markers at the first record that is kept. Only a job that never committed, in the store's
 * first generation, begins at `startPosition`.
 * @returns the id of another generation where the store has one; null: the lease is over
 */
export async function findStart(
  options: StartOptions,
  lease: LeasedPartition,
  generation: KnownGeneration,
  isOver: () => boolean,
): Promise<number | string | null> {
  const { log, store, job } = options;
  const { topic, topicId, partition } = lease;
  const id = { topicId, partition };
  const committed = await log.committed(job.name, id);
  if (committed?.generation === generation.number) return committed.offset;
  // Also where nothing is committed: a log forgets the offsets of a job that didn't run for long.
  const answer = await store.leastMarker(generation.generationId, id);
  if (answer.code !== 'OK') return answer.generationId;
  const [marker] = answer.results;
  if (marker !== undefined && marker > 0) return marker;
  if (committed === null && generation.number === 1) return firstStart(options, lease, generation.number, isOver);
  return (await log.offsetsAt(topic, 'earliest'))[partition] ?? 0;
}

/**
 * What a first start leaves out is committed before anything is read: after a crash it must not begin at another end, and
 * leave out more.
 */
async function firstStart(
  { log, job, settings }: StartOptions,
  { topic, topicId, partition, epoch }: LeasedPartition,
  generation: number,
  isOver: () => boolean,
): Promise<number | null> {
  const { startPosition } = settings;
  const offset = (await log.offsetsAt(topic, startPosition))[partition] ?? 0;
  // Nothing is left out: a log that drops its oldest records needn't begin at 0.
  if (startPosition === 'earliest') return offset;
  // Another reader may have begun while the log took its time: a later end must not be committed over its work.
  if (isOver()) return null;
  const [result] = await log.commit(job.name, [
    { partition: { topicId, partition }, offset, generation, fence: epoch },
  ]);
  return result === 'ok' ? offset : null;
}
