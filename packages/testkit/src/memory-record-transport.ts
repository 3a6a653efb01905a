import type {
  FrameReceiver,
  FrameReceiverEvents,
  FrameSender,
  FrameSenderEvents,
  RecordTransport,
} from '@holdfast/engine';
import { assert, type ShardRef } from '@holdfast/model';
import type { StreamId } from '@holdfast/processor';
import { type Attached, addressInUse, type MemoryNetwork } from './memory-network.ts';
import { MemoryStream, type StreamSide } from './memory-stream.ts';

export interface MemoryRecordTransportOptions {
  readonly network: MemoryNetwork;
  /** The place it lives at: cuts and crashes name it. */
  readonly site: string;
  readonly clusterId?: string;
  /** The shard that listens here; null while its node has no session. */
  readonly localShard: () => ShardRef | null;
  /** Default: one that nobody else has. */
  readonly address?: string;
  /** Bytes under way at which `send` begins to answer false. */
  readonly sendHighWaterBytes?: number;
}

/** In-memory twin of the record transport. Blocks are copied, as a real network would. */
export class MemoryRecordTransport implements RecordTransport, Attached, StreamSide {
  readonly site: string;
  readonly clusterId: string;
  readonly #options: MemoryRecordTransportOptions;
  readonly #address: string;
  readonly #streams = new Set<MemoryStream>();
  #onOpen: ((stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents) | null = null;
  #closed = false;

  constructor(options: MemoryRecordTransportOptions) {
    this.#options = options;
    this.site = options.site;
    this.clusterId = options.clusterId ?? 'cluster';
    this.#address = options.address ?? options.network.newAddress(options.site);
    options.network.attach(this);
  }

  open(stream: StreamId, address: string, events: FrameSenderEvents): FrameSender {
    assert(!this.#closed, 'a stream opened after close');
    const { network, sendHighWaterBytes = 1024 * 1024 } = this.#options;
    const listener = network.listener(address);
    const target = listener instanceof MemoryRecordTransport ? listener : null;
    return new MemoryStream(network, this, target, stream, events, sendHighWaterBytes);
  }

  async listen(onOpen: (stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents): Promise<string> {
    assert(this.#onOpen === null && !this.#closed, 'listen is called once, before close');
    if (!this.#options.network.listen(this.#address, this)) throw addressInUse(this.#address);
    this.#onOpen = onOpen;
    return this.#address;
  }

  async close(): Promise<void> {
    this.#stop();
    await Promise.all([...this.#streams].map((stream) => stream.closeSide(this)));
  }

  // What follows is for the network and its streams.

  vanish(): void {
    this.#stop();
    for (const stream of [...this.#streams]) stream.crash(this);
  }

  accept(stream: StreamId, clusterId: string, receiver: FrameReceiver): FrameReceiverEvents | string {
    const local = this.#options.localShard();
    if (this.#onOpen === null || this.#closed) return 'UNAVAILABLE: nobody listens';
    if (clusterId !== this.clusterId) return `FAILED_PRECONDITION: cluster ${clusterId} is not served here`;
    if (local === null) return 'UNAVAILABLE: no session yet';
    if (local.session !== stream.to.session || local.shard !== stream.to.shard) {
      return `FAILED_PRECONDITION: session ${stream.to.session} shard ${stream.to.shard} is not served here`;
    }
    return this.#onOpen(stream, receiver);
  }

  addStream(stream: MemoryStream): void {
    this.#streams.add(stream);
  }

  removeStream(stream: MemoryStream): void {
    this.#streams.delete(stream);
  }

  #stop(): void {
    this.#closed = true;
    this.#options.network.unlisten(this.#address, this);
    this.#options.network.detach(this);
  }
}
