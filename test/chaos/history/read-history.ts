import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from './event.ts';

/** An event and whose it is: the number of its file stands for the thread. */
export interface Recorded {
  readonly thread: number;
  readonly event: HistoryEvent;
}

export interface History {
  /** By time. */
  readonly events: readonly Recorded[];
  /** Names of the files, by thread number. */
  readonly threads: readonly string[];
}

/**
 * Reads all that the threads of a run have written. The last line of a file may be cut: its process was killed in the
 * middle of it.
 * @throws Error for any other line that isn't JSON
 */
export function readHistory(folder: string): History {
  const threads = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  const events: Recorded[] = [];
  for (const [thread, name] of threads.entries()) {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    const cut = lines.pop();
    for (const [i, line] of lines.entries()) {
      try {
        events.push({ thread, event: JSON.parse(line) as HistoryEvent });
      } catch (cause) {
        throw new Error(`${name}:${i + 1} is no event: ${line.slice(0, 80)}`, { cause });
      }
    }
    if (cut !== undefined && cut !== '' && cut.endsWith('}')) {
      try {
        events.push({ thread, event: JSON.parse(cut) as HistoryEvent });
      } catch {
        // Cut within a string that happens to end so.
      }
    }
  }
  events.sort((a, b) => a.event.t - b.event.t);
  return { events, threads };
}

type Event<K extends HistoryEvent['k']> = Extract<HistoryEvent, { k: K }>;

/** A call and how it ended. */
export interface Call<K extends 'produce' | 'claim' | 'backup' | 'mark' | 'commit' | 'append'> {
  readonly thread: number;
  readonly asked: Event<K>;
  /** Null: failed, or its process died. */
  readonly done: Extract<HistoryEvent, { k: `${K}Done` }> | null;
  /** When its answer came; infinite without one, since it may still be done. */
  readonly endUs: number;
}

/** All calls of a kind, by the time of their beginning. */
export function callsOf<K extends 'produce' | 'claim' | 'backup' | 'mark' | 'commit' | 'append'>(
  { events }: History,
  kind: K,
): Call<K>[] {
  const open = new Map<string, { -readonly [P in keyof Call<K>]: Call<K>[P] }>();
  const calls: Call<K>[] = [];
  for (const { thread, event } of events) {
    if (event.k === kind) {
      const asked = event as Event<K>;
      const call = { thread, asked, done: null, endUs: Number.POSITIVE_INFINITY };
      calls.push(call);
      open.set(`${thread}/${(asked as { id: number }).id}`, call);
    } else if (event.k === `${kind}Done`) {
      const call = open.get(`${thread}/${(event as { id: number }).id}`);
      if (call === undefined) continue;
      call.done = event as Extract<HistoryEvent, { k: `${K}Done` }>;
      call.endUs = event.t;
    }
  }
  return calls;
}
