import { encodeUtf8, hashUnit, type PartitionId, partitionKey, type Unit, unitHashOut } from '@holdfast/model';
import { decodeRow, encodeRow } from '@holdfast/processor';
import { LogError } from '../ports/log.ts';
import type { LeasedPartition } from '../shard-messages.ts';
import type { KnownGeneration } from './shard-context.ts';
import type { StartOptions } from './start-offset.ts';

/**
 * Where a partition begins that nobody has read. What that leaves out is written to the store before anything is
 * committed or read, in a row of its own, under the partition's epoch: whoever comes later begins there too, also after
 * the log has forgotten the commit. A log that can't check fences would take the commit of a reader that slept through
 * the end of its lease, and knows a later end of the topic than the one at which its successor began; the store refuses
 * that reader's row, and without one it commits nothing.
 * @returns the id of another generation where the store has one; null: the lease is over
 */
export async function firstStart(
  { log, store, job, settings }: StartOptions,
  { topic, topicId, partition, epoch }: LeasedPartition,
  { generationId }: KnownGeneration,
): Promise<number | string | null> {
  const { startPosition } = settings;
  const offsetNow = async () => (await log.offsetsAt(topic, startPosition, [partition]))[0]!;
  const id = { topicId, partition };
  const unit = unitOfStart(job.name, id);
  const claimed = await store.claim(generationId, [{ ...unit, epoch }]);
  if (claimed.code !== 'OK') return claimed.generationId;
  const claim = claimed.results[0]!;
  if (claim.code === 'OK' && claim.row !== null) return startOf(claim.row);
  if (claim.code === 'FENCED') {
    if (claim.epoch !== epoch) return null;
    // An earlier try of this lease wrote it.
    const own = await store.read(unit);
    return own !== null && own.row !== null && own.epoch === epoch ? startOf(own.row) : null;
  }
  if (claim.code === 'CORRUPT') throw new Error(`where the partition began can't be read: ${claim.problem}`);
  const offset = await offsetNow();
  const row = rowOf(id, offset);
  const written = await store.backup(generationId, [{ ...unit, epoch, seq: 1, row, savedUnixMs: 0 }]);
  if (written.code !== 'OK') return written.generationId;
  const [result] = written.results;
  if (result?.code === 'CORRUPT') throw new Error(`where the partition begins can't be written: ${result.problem}`);
  if (result?.code !== 'OK') return null;
  const [committed] = await log.commit(job.name, [{ partition: id, offset, generationId, fence: epoch }]);
  if (committed === 'gone') throw new LogError('TOPIC_CHANGED', `topic ${topic} with the id ${topicId} is gone`);
  return committed === 'ok' ? offset : null;
}

/** Where `firstStart` began, as this store has it; null: nothing was left out, or another store had it. */
export async function writtenStart(
  { store, job, settings }: StartOptions,
  { topicId, partition }: LeasedPartition,
): Promise<number | null> {
  if (settings.startPosition === 'earliest') return null;
  const stored = await store.read(unitOfStart(job.name, { topicId, partition }));
  return stored === null || stored.row === null ? null : startOf(stored.row);
}

/** The records before it are told as applied, as in any row. */
function rowOf(partition: PartitionId, offset: number): Uint8Array {
  return encodeRow({ users: [], vector: offset === 0 ? [] : [{ partition, offset: offset - 1 }] });
}

function startOf(row: Uint8Array): number {
  const [entry] = decodeRow(row).vector;
  return entry === undefined ? 0 : entry.offset + 1;
}

/** A row without users: exports and restores pass over it. */
function unitOfStart(job: string, id: PartitionId): Unit {
  const name = encodeUtf8(`start of ${job} in ${partitionKey(id)}`);
  hashUnit(name, 0, name.length);
  return { hi: unitHashOut.hi, lo: unitHashOut.lo };
}
