import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Log, LogError, type TopicInfo } from '@holdfast/engine';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Place } from './dead-letter.ts';

const fetchBytes = 1 << 20;

/** A record as it lies in the log. */
export interface StoredRecord {
  readonly offset: number;
  readonly atUnixMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The records of a partition that lie from an offset to before another, which the log has.
 * @param patienceMs how long to wait for the next ones
 * @throws CliError TIMED_OUT, LogError
 */
export async function* storedRecords(
  log: Log,
  { topic, topicId }: TopicInfo,
  partition: number,
  from: number,
  to: number,
  patienceMs: number,
): AsyncGenerator<StoredRecord> {
  if (from >= to) return;
  const reader = await log.openReader(topic, { topicId, partition }, from);
  try {
    for (let at = from; at < to; ) {
      const batch = await reader.next(fetchBytes, patienceMs);
      // A reader that gives nothing waits for its broker: only one that has passed the offset says that nothing is there.
      if (batch === null) throw notRead(`${topic}/${partition}`, at, to, patienceMs);
      const part = (start: number, end: number) => (start < 0 ? null : batch.bytes.slice(start, end));
      for (let i = 0; i < batch.count; i++) {
        const offset = batch.offsets[i]!;
        if (offset >= to) return;
        yield {
          offset,
          atUnixMs: batch.timestampsUnixMs[i]!,
          key: part(batch.keyStarts[i]!, batch.keyEnds[i]!),
          value: part(batch.valueStarts[i]!, batch.valueEnds[i]!),
          headers: batch.headersOf?.(i) ?? {},
        };
      }
      at = batch.nextOffset;
      // The embedded log has its next batch at once: without a turn between them no signal would come through.
      await nextTurn();
    }
  } finally {
    await reader.close();
  }
}

/** The record that failed, if the input still keeps it. @throws CliError TIMED_OUT, LogError */
export async function originalOf(
  log: Log,
  { topic, partition, offset }: Place,
  patienceMs: number,
): Promise<StoredRecord | null> {
  try {
    const info = await log.describe(topic);
    if (info === null || partition >= info.partitions) return null;
    const [begin, end] = [
      (await log.offsetsAt(topic, 'earliest'))[partition]!,
      (await log.endOffsets(topic))[partition]!,
    ];
    if (offset < begin || offset >= end) return null;
    for await (const record of storedRecords(log, info, partition, offset, offset + 1, patienceMs)) return record;
    return null;
  } catch (error) {
    // Retention may take it while we look.
    if (error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE') return null;
    throw error;
  }
}

function notRead(partition: string, at: number, to: number, patienceMs: number): CliError {
  const what = `${partition} has records up to offset ${to}, but gave none from ${at} on within ${patienceMs / 1000}s`;
  return new CliError(exitCodes.timedOut, 'TIMED_OUT', `${what}; see to its broker, or give a longer --timeout`);
}
