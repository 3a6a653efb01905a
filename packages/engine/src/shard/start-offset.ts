import type { LeasedPartition } from '../shard-messages.ts';
import { firstStart, writtenStart } from './first-start.ts';
import type { KnownGeneration } from './shard-context.ts';
import type { ShardOptions } from './shard-options.ts';

/** What finding a start needs of the shard. */
export interface StartOptions {
  readonly log: Pick<ShardOptions['log'], 'committed' | 'commit' | 'offsetsAt'>;
  readonly store: Pick<ShardOptions['store'], 'leastMarker' | 'claim' | 'backup' | 'read'>;
  readonly job: Pick<ShardOptions['job'], 'name'>;
  readonly settings: Pick<ShardOptions['settings'], 'startPosition'>;
}

/**
 * Where reading a partition begins (PROTOCOL.md 3.1): at the committed offset if it names the store's generation, else at
 * the least marker; without markers where the job began, if it left something out and the store has it, else at the first
 * record that is kept. Only a job that never committed, in the store's first generation, begins at `startPosition`. Whom
 * a commit vouches for is known by the generation's id alone: every cluster counts from 1.
 * @returns the id of another generation where the store has one; null: the lease is over
 */
export async function findStart(
  options: StartOptions,
  lease: LeasedPartition,
  generation: KnownGeneration,
): Promise<number | string | null> {
  const { log, store, job } = options;
  const { topic, topicId, partition } = lease;
  const id = { topicId, partition };
  const committed = await log.committed(job.name, id);
  if (committed?.generationId === generation.generationId) return committed.offset;
  // Also where nothing is committed: a log forgets the offsets of a job that didn't run for long.
  const answer = await store.leastMarker(generation.generationId, id);
  if (answer.code !== 'OK') return answer.generationId;
  const [marker] = answer.results;
  if (marker !== undefined && marker > 0) return marker;
  if (committed === null && generation.number === 1) return firstStart(options, lease, generation);
  return (await writtenStart(options, lease)) ?? (await log.offsetsAt(topic, 'earliest'))[partition] ?? 0;
}
