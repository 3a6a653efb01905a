import { encodeUtf8, hashUnit, type PartitionId, partitionKey, type Unit, unitHashOut } from '@holdfast/model';
import { decodeRow, encodeRow } from '@holdfast/processor';
import type { LeasedPartition } from '../shard-messages.ts';
import type { KnownGeneration } from './shard-context.ts';
import type { StartOptions } from './start-offset.ts';

/**
 * Where a partition begins for which the log has no commit that counts, and the store no markers. Of a job whose start
 * position may leave something out, whoever begins writes where to the store, in a row of its own, under the partition's
 * epoch, before anything is read: whoever comes later begins there too, until there is a commit or are markers. And who
 * sleeps through the end of its lease, and knows a later end of the topic than the one at which its successor began, is
 * refused by the store, and begins nowhere. It commits nothing: what does asks first whether the lease is over.
 * @param isFirst whether the start position counts, where nothing is written; else nothing is left out
 * @returns the id of another generation where the store has one; null: the lease is over
 */
export async function beginning(
  { log, store, job, settings }: StartOptions,
  { topic, topicId, partition, epoch }: LeasedPartition,
  { generationId }: KnownGeneration,
  isFirst: boolean,
): Promise<number | string | null> {
  const { startPosition } = settings;
  if (startPosition === 'earliest') return 0;
  const id = { topicId, partition };
  const unit = unitOfStart(job.name, id);
  const claimed = await store.claim(generationId, [{ ...unit, epoch }]);
  if (claimed.code !== 'OK') return claimed.generationId;
  const claim = claimed.results[0]!;
  /** What this lease has written: an earlier try of it may have, or come late, and what is equal to it counts as written. */
  const ownStart = async (): Promise<number | null> => {
    const own = await store.read(unit);
    return own !== null && own.row !== null && own.epoch === epoch ? startOf(own.row) : null;
  };
  if (claim.code === 'FENCED') return claim.epoch === epoch ? ownStart() : null;
  if (claim.code === 'CORRUPT') throw new Error(`where the partition began can't be read: ${claim.problem}`);
  if (claim.row !== null) return startOf(claim.row);
  const start = isFirst ? (await log.offsetsAt(topic, startPosition, [partition]))[0]! : 0;
  const write = { ...unit, epoch, seq: 1, row: rowOf(id, start), savedUnixMs: 0 };
  const written = await store.backup(generationId, [write]);
  if (written.code !== 'OK') return written.generationId;
  const [result] = written.results;
  if (result?.code === 'CORRUPT') throw new Error(`where the partition begins can't be written: ${result.problem}`);
  return result?.code === 'OK' ? ownStart() : null;
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
