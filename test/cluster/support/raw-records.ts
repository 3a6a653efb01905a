import type { RawRecord } from '@holdfast/access-anomaly';
import type { Log } from '@holdfast/engine';

/** Every record of a topic, as it lies in the log: what a recount starts from. */
export async function rawRecords(log: Log, topic: string): Promise<RawRecord[]> {
  const info = await log.describe(topic);
  if (info === null) throw new Error(`there is no topic ${topic}`);
  const ends = await log.endOffsets(topic);
  const records: RawRecord[] = [];
  for (const [partition, end] of ends.entries()) {
    const reader = await log.openReader(topic, { topicId: info.topicId, partition }, 0);
    for (let at = 0; at < end; ) {
      const batch = await reader.next(1 << 20, 10_000);
      if (batch === null) throw new Error(`${topic}/${partition} ends at ${at}, before its end ${end}`);
      for (let i = 0; i < batch.count; i++) {
        const value = batch.bytes.subarray(Math.max(batch.valueStarts[i]!, 0), Math.max(batch.valueEnds[i]!, 0));
        records.push({ partition, offset: batch.offsets[i]!, timestampUnixMs: batch.timestampsUnixMs[i]!, value });
      }
      at = batch.nextOffset;
    }
    await reader.close();
  }
  return records;
}
