import { assert, type ShardRef } from '@holdfast/model';
import type { HolderStream, IngestStream, StreamId } from '@holdfast/processor';
import type { FrameReceiver, FrameReceiverEvents, FrameSender } from '../ports/record-transport.ts';
import type { DirectoryEntry } from '../shard-messages.ts';
import { IncomingStreams } from './incoming-streams.ts';
import type { ShardContext } from './shard-context.ts';
import { UnreachedHolders } from './unreached-holders.ts';

interface OutgoingLink {
  readonly stream: IngestStream;
  readonly sender: FrameSender | null;
  corked: boolean;
  /** Its holder has taken it; a stream to this very shard needs no word of that. */
  accepted: boolean;
  /** A return has come on it. */
  answered: boolean;
}

/** A holder that records wait for. */
export interface UnreachedHolder {
  /** session/shard */
  readonly holder: string;
  readonly forMs: number;
  /** Of the end of the last stream to it. */
  readonly reason: string;
}

/** After a stream has failed, the next is opened no sooner than this: doubled per failure up to the maximum. */
const reopenFirstMs = 20;
const reopenMaxMs = 1_000;

/** Ties the cores' streams to the transport; a stream to this very shard goes straight from one core to the other. */
export class StreamLinks {
  readonly #context: ShardContext;
  readonly #outgoing = new Map<IngestStream, OutgoingLink>();
  readonly #incoming: IncomingStreams;
  /** Both ends of the stream to this very shard. */
  #local: { readonly link: OutgoingLink; readonly other: HolderStream } | null = null;
  readonly #reopen = new Map<string, { atMs: number; waitMs: number; reason: string }>();
  readonly #unreached = new UnreachedHolders();
  #directory = new Map<number, DirectoryEntry>();

  constructor(context: ShardContext) {
    this.#context = context;
    this.#incoming = new IncomingStreams(context);
  }

  get count(): number {
    return this.#outgoing.size;
  }

  setDirectory(sessions: readonly DirectoryEntry[]): void {
    this.#directory = new Map(sessions.map((entry) => [entry.session, entry]));
    for (const link of [...this.#outgoing.values()]) {
      if (!this.#directory.has(link.stream.id.to.session)) this.#end(link, 'its session is over');
    }
    for (const key of this.#unreached.keys()) {
      if (!this.#directory.has(Number(key.split('/')[0]))) this.#unreached.forget(key);
    }
  }

  /** The holder with a live session that could not be reached for longest, though records wait for it; null when all are. */
  unreached(nowMs: number): UnreachedHolder | null {
    const longest = this.#unreached.longest(nowMs);
    if (longest === null) return null;
    return { holder: longest.key, forMs: longest.ms, reason: this.#reopen.get(longest.key)?.reason ?? 'no answer' };
  }

  /** Some holder that drains too has yet to report durable what was sent to it. */
  get owedByClosing(): boolean {
    for (const { stream } of this.#outgoing.values()) {
      if (stream.owed && this.#directory.get(stream.id.to.session)?.closing === true) return true;
    }
    return false;
  }

  /** Opens the streams that records wait for. Also looks which of those that are open have been accepted. */
  openWanted(nowMs: number): void {
    for (const { stream, accepted } of this.#outgoing.values()) {
      if (!accepted && stream.isWaiting) this.#unreached.waited(keyOf(stream.id.to), nowMs);
    }
    for (const to of this.#context.ingest.takeWantedStreams()) this.#open(to, nowMs);
  }

  #open(to: ShardRef, nowMs: number): void {
    const { ingest, holder, options } = this.#context;
    const address = this.#directory.get(to.session)?.shardAddresses[to.shard];
    const key = keyOf(to);
    if (address === undefined) return;
    this.#unreached.waited(key, nowMs);
    if (nowMs < (this.#reopen.get(key)?.atMs ?? 0)) return;
    const stream = ingest.openStream(to);
    if (stream.local) {
      const other = holder.openStream(stream.id)!;
      const link = { stream, sender: null, corked: false, accepted: true, answered: true };
      this.#outgoing.set(stream, link);
      this.#local = { link, other };
      this.#unreached.forget(key);
      return;
    }
    const link: { -readonly [field in keyof OutgoingLink]: OutgoingLink[field] } = {
      stream,
      sender: null,
      corked: false,
      accepted: false,
      answered: false,
    };
    this.#outgoing.set(stream, link);
    link.sender = options.transport.open(stream.id, address, {
      onAccepted: () => {
        // Reached, though it may wait for its store or its table: no other ingest would be served sooner (3.5).
        link.accepted = this.#unreached.accepted(key);
      },
      onReturn: (message) => {
        if (this.#context.stopped) return;
        this.#reopen.delete(key);
        if (!link.answered) this.#unreached.forget(key);
        link.accepted = link.answered = true;
        ingest.onReturn(stream, message, options.timers.monotonicMs());
        this.#context.wake();
      },
      onDrain: () => {
        link.corked = false;
        this.#context.wake();
      },
      onEnd: (reason) => this.#end(link, reason),
    });
  }

  #end(link: OutgoingLink, reason: string): void {
    if (!this.#outgoing.delete(link.stream)) return;
    const { ingest, options } = this.#context;
    const { to } = link.stream.id;
    const key = keyOf(to);
    const waitMs = Math.min((this.#reopen.get(key)?.waitMs ?? reopenFirstMs / 2) * 2, reopenMaxMs);
    this.#reopen.set(key, { atMs: options.timers.monotonicMs() + waitMs, waitMs, reason });
    if (link.accepted && !link.answered && link.stream.isWaiting) this.#unreached.endedFruitless(key);
    link.sender?.close();
    ingest.onStreamEnd(link.stream);
    options.stats.add('streamsEnded', 1);
    options.logger.debug('a record stream ended', { session: to.session, shard: to.shard, reason });
    this.#context.wake();
  }

  /** Frames out, returns back. True when something moved between the two cores of this shard. */
  move(nowMs: number): boolean {
    let moved = false;
    for (const link of this.#outgoing.values()) {
      const { outbox } = link.stream;
      if (outbox.length === 0) continue;
      if (link.sender === null) {
        for (const frame of outbox.splice(0)) {
          const { clock, holder } = this.#context;
          const problem = clock.measure('nsApply', () => holder.onFrame(this.#local!.other, frame, nowMs));
          assert(problem === null, `of its own stream: ${problem}`);
        }
        moved = true;
        continue;
      }
      let n = 0;
      while (n < outbox.length && !link.corked) link.corked = !link.sender.send(outbox[n++]!);
      outbox.splice(0, n);
    }
    for (const { stream, returns } of this.#context.holder.takeReturns()) {
      if (this.#local?.other === stream) {
        for (const message of returns) this.#context.ingest.onReturn(this.#local.link.stream, message, nowMs);
        moved = true;
      } else if (this.#incoming.reply(stream, returns)) moved = true;
    }
    return moved;
  }

  /** A stream that the ingest of another shard opened, or why it isn't taken. */
  accept(id: StreamId, receiver: FrameReceiver): FrameReceiverEvents | string {
    const isLive = ({ session, shard }: ShardRef): boolean =>
      this.#directory.get(session)?.shardAddresses[shard] !== undefined;
    return this.#incoming.accept(id, receiver, isLive);
  }

  closeAll(): void {
    for (const link of this.#outgoing.values()) link.sender?.close();
    this.#outgoing.clear();
    if (this.#local !== null) this.#context.holder.closeStream(this.#local.other);
    this.#incoming.closeAll();
  }
}

const keyOf = ({ session, shard }: ShardRef): string => `${session}/${shard}`;
