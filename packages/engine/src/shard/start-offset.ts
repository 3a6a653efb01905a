import type { LeasedPartition } from '../shard-messages.ts';
import { beginning } from './beginning.ts';
import type { KnownGeneration } from './shard-context.ts';
import type { ShardOptions } from './shard-options.ts';

/** What finding a start needs of the shard. */
export interface StartOptions {
  readonly log: Pick<ShardOptions['log'], 'committed' | 'offsetsAt'>;
  readonly store: Pick<ShardOptions['store'], 'leastMarker' | 'claim' | 'backup' | 'read'>;
  readonly job: Pick<ShardOptions['job'], 'name'>;
  readonly settings: Pick<ShardOptions['settings'], 'startPosition'>;
}

/**
 * Where reading a partition begins (PROTOCOL.md 3.1): at the committed offset if it names the store's generation, else at
 * the least marker; without markers where the store says that the job began, else at the first record that is kept. Only a
 * job that never committed, in the store's first generation, begins at its start position, in partitions that were there
 * then. A generation is known by its id alone: every cluster counts from 1, and what another one has committed under the
 * number vouches for nothing here.
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
  const isFirst = committed === null && generation.number === 1 && lease.wasThere;
  const begun = await beginning(options, lease, generation, isFirst);
  if (typeof begun !== 'number') return begun;
  // A log that drops its oldest records needn't begin at 0, nor still have those at which the job began.
  const [firstKept] = await log.offsetsAt(topic, 'earliest', [partition]);
  return Math.max(begun, firstKept!);
}

/**
 * Where a reading goes on that stands at `position`, which the log has no more: at the least marker, if that is not below
 * the first record that is kept, since all before a marker is durable (PROTOCOL.md 5.7). A commit may be far behind the
 * markers: it failed for long, or was set back.
 * @returns null: there is no gap, or something in it no marker covers; the id of another generation where the store has one
 */
export async function startBehindGap(
  { log, store }: Pick<StartOptions, 'log' | 'store'>,
  { topic, topicId, partition }: LeasedPartition,
  { generationId }: KnownGeneration,
  position: number,
): Promise<number | string | null> {
  const [firstKept] = await log.offsetsAt(topic, 'earliest', [partition]);
  if (position >= firstKept!) return null;
  const answer = await store.leastMarker(generationId, { topicId, partition });
  if (answer.code !== 'OK') return answer.generationId;
  const [marker] = answer.results;
  return marker !== undefined && marker >= firstKept! ? marker : null;
}
