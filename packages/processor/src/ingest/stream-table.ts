import { assert, type ShardRef } from '@holdfast/model';
import type { RecordLimits } from '../limits.ts';
import { IngestStream } from './ingest-stream.ts';

/** The streams of one ingest to its holders, and which of them may take a record now (PROTOCOL.md 4). */
export class StreamTable {
  readonly #self: ShardRef;
  readonly #limits: RecordLimits;
  readonly #streams = new Map<string, IngestStream>();
  readonly #wanted = new Map<string, ShardRef>();
  #incarnations = 0;
  #last: IngestStream | null = null;

  constructor(self: ShardRef, limits: RecordLimits) {
    this.#self = self;
    this.#limits = limits;
  }

  [Symbol.iterator](): MapIterator<IngestStream> {
    return this.#streams.values();
  }

  get framesInFlight(): number {
    let n = 0;
    for (const stream of this.#streams.values()) n += stream.unsettled.length;
    return n;
  }

  /** The stream to a holder; null when there is none: it is noted as wanted. */
  get(session: number, shard: number): IngestStream | null {
    const last = this.#last;
    if (last !== null && !last.ended && last.id.to.session === session && last.id.to.shard === shard) return last;
    const key = `${session}/${shard}`;
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      if (!this.#wanted.has(key)) this.#wanted.set(key, { session, shard } as ShardRef);
      return null;
    }
    this.#last = stream;
    return stream;
  }

  /** Holders that records wait for and no stream leads to. */
  takeWanted(): ShardRef[] {
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    return wanted;
  }

  open(to: ShardRef): IngestStream {
    const key = `${to.session}/${to.shard}`;
    assert(!this.#streams.has(key), `a stream to ${key} is open`);
    const local = to.session === this.#self.session && to.shard === this.#self.shard;
    const stream = new IngestStream(
      { from: this.#self, to, incarnation: ++this.#incarnations },
      local,
      this.#limits.undurableRunsMax,
    );
    this.#streams.set(key, stream);
    return stream;
  }

  end(stream: IngestStream): void {
    stream.ended = true;
    this.#streams.delete(`${stream.id.to.session}/${stream.id.to.shard}`);
    if (this.#last === stream) this.#last = null;
  }

  /** PROTOCOL.md 4.1 and 4.3: unsettled elsewhere, or refused here and not all settled since. */
  mustWait(stream: IngestStream, hi: number, lo: number, grantIndex: number): boolean {
    if (stream.holds.has(hi, lo, stream.settled)) return true;
    for (const other of this.#streams.values()) {
      if (other === stream || (other.unsettled.length === 0 && other.builders.length === 0)) continue;
      // Whatever was routed under a table that had this grant already went to this holder.
      if (other.leastTableIndex() >= grantIndex) continue;
      if (other.hasUnsettled(hi, lo)) return true;
    }
    return false;
  }

  isFull(stream: IngestStream): boolean {
    return (
      stream.unsettled.length >= this.#limits.framesInFlightMax ||
      stream.unsettledBytes >= this.#limits.bytesInFlightMax
    );
  }

  /** A partition's present reading is over. */
  dropPending(slot: number): void {
    for (const stream of this.#streams.values()) stream.dropPending(slot);
  }
}
