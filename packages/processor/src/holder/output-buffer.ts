import type { OutputSink } from '../job.ts';

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
    this.#queue.push({ number: ++this.emitted, topic, key, value, headers });
  }

  get unacked(): number {
    return this.emitted - this.acked;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes back everything emitted after `mark`, a former value of `emitted`. */
  takeBack(mark: number): void {
    this.#queue.length -= this.emitted - mark;
    this.emitted = mark;
  }

  /** Hands over up to `max` outputs, oldest first. */
  take(max: number): Output[] {
    return this.#queue.splice(0, max);
  }
}
