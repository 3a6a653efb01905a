import type { OutputSink } from '../job.ts';
import type { RecordLimits } from '../limits.ts';

/** Something to publish, in the order of `number`. */
export interface Output {
  readonly number: number;
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Outputs and dead letters on their way to the log. Numbered, so that a backup can wait until everything that its records
 * emitted is acknowledged (PROTOCOL.md 5.3). Acknowledgement is cumulative.
 */
export class OutputBuffer implements OutputSink {
  #queue: Output[] = [];
  #queuedBytes = 0;
  /** Number of the last output that was emitted. */
  emitted = 0;
  /** All outputs up to this one are durable in the log. */
  acked = 0;

  emit(topic: string, key: Uint8Array | null, value: Uint8Array, id: string): void {
    this.publish(topic, key, value, { id });
  }

  publish(
    topic: string,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Readonly<Record<string, string>>,
  ): void {
    const output = { number: ++this.emitted, topic, key, value, headers };
    this.#queue.push(output);
    this.#queuedBytes += bytesOf(output);
  }

  /** Nothing more is to be emitted before some are acknowledged. */
  isFull({ outputsUnackedMax, outputBytesMax }: Pick<RecordLimits, 'outputsUnackedMax' | 'outputBytesMax'>): boolean {
    return this.unacked >= outputsUnackedMax || this.#queuedBytes >= outputBytesMax;
  }

  get unacked(): number {
    return this.emitted - this.acked;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Keys and values of those that wait to be taken. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Takes back everything emitted after `mark`, a former value of `emitted`. */
  takeBack(mark: number): void {
    for (; this.emitted > mark; this.emitted--) this.#queuedBytes -= bytesOf(this.#queue.pop()!);
  }

  /** Hands over up to `max` outputs, oldest first. */
  take(max: number): Output[] {
    const taken = this.#queue.splice(0, max);
    for (const output of taken) this.#queuedBytes -= bytesOf(output);
    return taken;
  }
}

function bytesOf({ key, value }: Output): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}
