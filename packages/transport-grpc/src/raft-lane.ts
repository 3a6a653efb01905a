import { type ClientWritableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { asIs, paths } from './definitions.ts';
import type { TransportLimits } from './limits.ts';
import { MessageQueue } from './message-queue.ts';
import { startConnectTimer } from './name-resolver.ts';
import { encodeRaftBatch, type PeerHello } from './peer-codec.ts';
import type { PeerConnection } from './peer-connection.ts';

/** Messages are joined into batches of about this size; larger ones travel in parts of it. */
const batchBytes = 256 * 1024;
/** Handed to the connection at a time; the rest waits in the queue, where the oldest can still be dropped. */
const inFlightBytesMax = 1024 * 1024;

/**
 * A stream of Raft messages to one peer that is opened when there is something to send, and opened again when it breaks.
 * Messages handed to a stream that breaks are lost, those in the queue stay.
 */
export class RaftLane {
  readonly #connection: PeerConnection;
  readonly #hello: PeerHello;
  readonly #limits: TransportLimits;
  readonly #onState: (up: boolean) => void;
  readonly #queue: MessageQueue;
  #stream: ClientWritableStream<Buffer> | null = null;
  #accepted = false;
  /** What is left of a message that is sent in parts. */
  #rest: Uint8Array | null = null;
  #inFlightBytes = 0;
  #stopConnectTimer: () => void = () => {};
  #reopenTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(connection: PeerConnection, hello: PeerHello, limits: TransportLimits, onState: (up: boolean) => void) {
    this.#connection = connection;
    this.#hello = hello;
    this.#limits = limits;
    this.#onState = onState;
    this.#queue = new MessageQueue(limits.raftQueueCountMax, limits.raftQueueBytesMax);
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get droppedCount(): number {
    return this.#queue.droppedCount;
  }

  push(message: Uint8Array): void {
    if (this.#closed) return;
    this.#queue.push(message);
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
    this.#stopConnectTimer();
    if (this.#reopenTimer !== null) clearTimeout(this.#reopenTimer);
    this.#stream?.cancel();
    this.#stream = null;
  }

  #flush(): void {
    if (this.#stream === null) {
      // A running timer: the peer failed a moment ago.
      if (this.#reopenTimer === null && this.#queue.count > 0) this.#open();
      return;
    }
    if (!this.#accepted) return;
    while (this.#inFlightBytes < inFlightBytesMax) {
      const bytes = this.#nextBatch();
      if (bytes === null) return;
      this.#write(this.#stream, bytes);
    }
  }

  #nextBatch(): Buffer | null {
    if (this.#rest === null) {
      const messages = this.#queue.take(batchBytes);
      if (messages.length === 0) return null;
      const [first] = messages;
      if (messages.length > 1 || first!.length <= batchBytes) return encodeRaftBatch({ kind: 'messages', messages });
      this.#rest = first!;
    }
    const bytes = this.#rest.subarray(0, batchBytes);
    const last = bytes.length === this.#rest.length;
    this.#rest = last ? null : this.#rest.subarray(batchBytes);
    return encodeRaftBatch({ kind: 'part', bytes, last });
  }

  #write(stream: ClientWritableStream<Buffer>, bytes: Buffer): void {
    this.#inFlightBytes += bytes.length;
    stream.write(bytes, () => {
      if (stream !== this.#stream) return;
      this.#inFlightBytes -= bytes.length;
      this.#flush();
    });
  }

  #open(): void {
    const { client, address } = this.#connection;
    const onEnd = (error: Partial<ServiceError> | null): void => {
      if (stream !== this.#stream) return;
      if (error?.code === status.FAILED_PRECONDITION && !this.#accepted) this.#connection.refused(client);
      this.#onBroken(stream);
    };
    const stream = client.makeClientStreamRequest(paths.raft, asIs, asIs, new Metadata(), {}, onEnd);
    this.#stream = stream;
    this.#accepted = false;
    this.#rest = null;
    this.#inFlightBytes = 0;
    stream.on('error', onEnd);
    stream.on('metadata', () => {
      if (stream !== this.#stream) return;
      this.#accepted = true;
      this.#stopConnectTimer();
      this.#onState(true);
      this.#flush();
    });
    this.#stopConnectTimer = startConnectTimer(address, this.#limits.connectTimeoutMs, () => {
      stream.cancel();
      this.#connection.renew(client);
      this.#onBroken(stream);
    });
    this.#write(stream, encodeRaftBatch({ kind: 'hello', hello: this.#hello }));
  }

  #onBroken(stream: ClientWritableStream<Buffer>): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    this.#stopConnectTimer();
    this.#reopenTimer = setTimeout(() => {
      this.#reopenTimer = null;
      this.#flush();
    }, this.#limits.raftReconnectMs);
    this.#onState(false);
  }
}
