import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from './event.ts';

/** Microseconds of CLOCK_MONOTONIC. */
export function nowUs(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}

const bufferedMax = 256;

/**
 * Appends events to a thread's own file. `hold` may keep an event in memory until the next `write`, which puts all in
 * order: for those that nothing outside of the thread can have seen before.
 */
export class HistoryFile {
  readonly #path: string;
  #fd: number | null = null;
  #held: string[] = [];
  #calls = 0;

  /** @param name unique in the folder: of a thread of a process */
  constructor(folder: string, name: string) {
    this.#path = join(folder, `${name}.jsonl`);
  }

  nextCall(): number {
    return ++this.#calls;
  }

  hold(event: HistoryEvent): void {
    this.#held.push(JSON.stringify(event));
    if (this.#held.length >= bufferedMax) this.flush();
  }

  write(event: HistoryEvent): void {
    this.#held.push(JSON.stringify(event));
    this.flush();
  }

  flush(): void {
    if (this.#held.length === 0) return;
    this.#fd ??= openSync(this.#path, 'a');
    const bytes = Buffer.from(`${this.#held.join('\n')}\n`);
    this.#held = [];
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }
}
