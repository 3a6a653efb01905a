import type { ShardRef } from '@holdfast/model';
import type { Return, StreamId } from '../frame.ts';
import { HolderStream } from './holder-stream.ts';

/** The streams that lead to a holder: one per sending shard, the one with the highest incarnation (PROTOCOL.md 4.1). */
export class StreamSet {
  readonly #self: ShardRef;
  readonly #streams = new Set<HolderStream>();
  /** Highest incarnation seen, per sending shard. */
  readonly #incarnations = new Map<string, number>();

  readonly #onClosed: (stream: HolderStream) => void;

  constructor(self: ShardRef, onClosed: (stream: HolderStream) => void) {
    this.#self = self;
    this.#onClosed = onClosed;
  }

  /** Null when the stream isn't for this session and shard, or is superseded. */
  open(id: StreamId): HolderStream | null {
    if (id.to.session !== this.#self.session || id.to.shard !== this.#self.shard) return null;
    const from = `${id.from.session}/${id.from.shard}`;
    if ((this.#incarnations.get(from) ?? 0) >= id.incarnation) return null;
    this.#incarnations.set(from, id.incarnation);
    for (const other of this.#streams) {
      if (other.id.from.session === id.from.session && other.id.from.shard === id.from.shard) this.close(other);
    }
    const stream = new HolderStream(id);
    this.#streams.add(stream);
    return stream;
  }

  close(stream: HolderStream): void {
    if (stream.ended) return;
    stream.ended = true;
    stream.backlog.length = 0;
    stream.returns.length = 0;
    this.#streams.delete(stream);
    this.#onClosed(stream);
  }

  /** Some stream has settled frames that no durable report names. */
  get reportsOwed(): boolean {
    for (const stream of this.#streams) if (stream.settled > stream.reported) return true;
    return false;
  }

  /** Streams with returns to send, each with what it has to send. */
  *takeReturns(): Iterable<{ stream: HolderStream; returns: Return[] }> {
    for (const stream of this.#streams) {
      if (stream.returns.length > 0) yield { stream, returns: stream.returns.splice(0) };
    }
  }

  [Symbol.iterator](): Iterator<HolderStream> {
    return this.#streams.values();
  }
}
