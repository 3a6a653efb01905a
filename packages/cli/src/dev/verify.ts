import {
  type Comparison,
  compare,
  type ExportedUser,
  type RawRecord,
  type Recount,
  recount,
} from '@holdfast/access-anomaly';
import { LmdbBackupStore, type LmdbLog } from '@holdfast/embedded';
import type { TopicInfo } from '@holdfast/engine';
import { exportUsers, loadJob } from '@holdfast/node';

/** Logins of a recount are all in memory: some 200 bytes each. */
export const recountRecordsMax = 5_000_000;
const fetchBytes = 4 * 1024 * 1024;

/** What the store has of all users together. */
export interface StoreTotals {
  readonly users: number;
  readonly events: number;
  readonly anomalies: number;
}

export interface Verification {
  readonly recount: Recount;
  readonly comparison: Comparison;
}

type View = ExportedUser & { readonly anomalies: { readonly total: number } };

/** All users of the store, as `export` prints them. */
export async function readExport(storePath: string): Promise<{ users: View[]; totals: StoreTotals }> {
  const job = await loadJob({ name: 'access-anomaly', inputTopic: null, mapping: 'holdfast' });
  const store = await LmdbBackupStore.open(storePath);
  try {
    const users: View[] = [];
    let events = 0;
    let anomalies = 0;
    for await (const view of exportUsers(store, job)) {
      const user = view as View;
      users.push(user);
      events += user.events;
      anomalies += user.anomalies.total;
    }
    return { users, totals: { users: users.length, events, anomalies } };
  } finally {
    await store.close();
  }
}

/**
 * Counts the raw records of the log again, by code that shares nothing with the engine or the job, and holds the
 * export against that.
 */
export async function verify(
  log: LmdbLog,
  topic: TopicInfo,
  format: string,
  users: readonly ExportedUser[],
): Promise<Verification> {
  const again = recount(format, await readRaw(log, topic));
  return { recount: again, comparison: compare(users, again) };
}

async function readRaw(log: LmdbLog, topic: TopicInfo): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const ends = await log.endOffsets(topic.topic);
  for (const [partition, end] of ends.entries()) {
    const reader = await log.openReader(topic.topic, { topicId: topic.topicId, partition }, 0);
    for (let at = 0; at < end; ) {
      const batch = await reader.next(fetchBytes, 0);
      if (batch === null) throw new Error(`${topic.topic}/${partition} ends at ${at}, before its end ${end}`);
      for (let i = 0; i < batch.count; i++) {
        const start = batch.valueStarts[i]!;
        records.push({
          partition,
          offset: batch.offsets[i]!,
          timestampUnixMs: batch.timestampsUnixMs[i]!,
          value: start < 0 ? new Uint8Array(0) : batch.bytes.subarray(start, batch.valueEnds[i]!),
        });
      }
      at = batch.nextOffset;
    }
    await reader.close();
  }
  return records;
}
