import type { Log } from '@holdfast/engine';
import type { OutputLine } from './event.ts';
import { callsOf, type History } from './read-history.ts';

export type ReadableLog = Pick<Log, 'describe' | 'endOffsets' | 'openReader'>;

const bytesMax = 2 ** 20;
const waitMs = 5_000;

/**
 * All that a topic holds, in the form in which nodes told of it; none of a topic that there isn't.
 * @throws Error when a reader gets nothing for `waitMs` before the end; LogError
 */
export async function readTopic(log: ReadableLog, topic: string): Promise<OutputLine[]> {
  const found = await log.describe(topic);
  if (found === null) return [];
  const ends = await log.endOffsets(topic);
  const lines: OutputLine[] = [];
  for (const [partition, end] of ends.entries()) {
    const reader = await log.openReader(topic, { topicId: found.topicId, partition }, 0);
    try {
      for (let position = 0; position < end; ) {
        const batch = await reader.next(bytesMax, waitMs);
        if (batch === null) throw new Error(`${topic}/${partition} gives nothing at ${position}, and ends at ${end}`);
        position = batch.nextOffset;
        for (let i = 0; i < batch.count; i++) {
          const { id = '', reason } = batch.headersOf?.(i) ?? {};
          const start = batch.valueStarts[i]!;
          const value = start < 0 ? null : batch.bytes.subarray(start, batch.valueEnds[i]!);
          // As for the history: what a letter quotes may be large.
          lines.push(reason === undefined ? [id, value === null ? null : base64(value)] : [id, null, reason]);
        }
      }
    } finally {
      await reader.close();
    }
  }
  return lines;
}

/**
 * P6, by the topics themselves: what the log has acknowledged is there, byte for byte, and nothing is there that no node
 * has appended. Which repetitions are there doesn't matter: outputs carry ids for that.
 */
export function checkTopic(history: History, topic: string, written: readonly OutputLine[]): string[] {
  const violations: string[] = [];
  const inTopic = new Set(written.map(nameOf));
  const appended = new Set<string>();
  for (const { asked, done } of callsOf(history, 'append')) {
    if (asked.topic !== topic) continue;
    for (const line of asked.records) {
      const name = nameOf(line);
      appended.add(name);
      if (done === null || inTopic.has(name)) continue;
      violations.push(`P6: ${line[0]} is acknowledged, and topic ${topic} doesn't have it`);
    }
  }
  for (const line of written)
    if (!appended.has(nameOf(line))) violations.push(`P6: topic ${topic} has ${line[0]}, which nobody has appended so`);
  return violations;
}

function nameOf([id, value, reason]: OutputLine): string {
  return JSON.stringify([id, value, reason ?? null]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
