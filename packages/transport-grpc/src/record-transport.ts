import type {
  FrameReceiver,
  FrameReceiverEvents,
  FrameSender,
  FrameSenderEvents,
  RecordTransport,
} from '@holdfast/engine';
import { assert, type NodeId, type SessionId, type ShardRef } from '@holdfast/model';
import type { StreamId } from '@holdfast/processor';
import { connect } from './channel.ts';
import { rawService } from './definitions.ts';
import { type FrameCall, IncomingFrameStream } from './frame-service.ts';
import { FrameStream } from './frame-stream.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { ServerHost } from './server-host.ts';
import type { TlsFiles } from './tls.ts';

/** Shards are known by session: whose it is decides whom the certificate at the other end has to name. */
export interface RecordTls extends TlsFiles {
  /** The node of a live session; null: it isn't known here, and no stream of it is taken. Asked at each stream. */
  nodeOf(session: SessionId): NodeId | null;
}

export interface GrpcRecordTransportOptions {
  /** Streams of other clusters are refused. */
  readonly clusterId: string;
  /** The shard that listens here; null while its node has no session. Asked at each arriving stream. */
  readonly localShard: () => ShardRef | null;
  readonly host?: string;
  readonly port?: number;
  readonly advertisedHost?: string;
  readonly limits?: Partial<TransportLimits>;
  readonly tls?: RecordTls | null;
}

/** As the node of a session that isn't known: no certificate names it. */
const nobody = '';

/** `RecordTransport` over gRPC: one server per shard, one connection per stream that it opens. */
export class GrpcRecordTransport implements RecordTransport {
  readonly #options: GrpcRecordTransportOptions;
  readonly #limits: TransportLimits;
  readonly #outgoing = new Set<FrameStream>();
  readonly #incoming = new Set<IncomingFrameStream>();
  #host: ServerHost | null = null;
  #closed = false;

  constructor(options: GrpcRecordTransportOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  open(stream: StreamId, address: string, events: FrameSenderEvents): FrameSender {
    assert(!this.#closed, 'a stream opened after close');
    const hello = { clusterId: this.#options.clusterId, stream };
    const { tls = null } = this.#options;
    const holder = tls === null ? null : (tls.nodeOf(stream.to.session) ?? nobody);
    const client = connect(address, this.#limits, tls, holder);
    const sender = new FrameStream(client, address, hello, events, this.#limits, () => this.#outgoing.delete(sender));
    this.#outgoing.add(sender);
    return sender;
  }

  /** @throws TransportError */
  async listen(onOpen: (stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents): Promise<string> {
    assert(this.#host === null && !this.#closed, 'listen is called once, before close');
    const { clusterId, localShard, host, port, advertisedHost, tls = null } = this.#options;
    this.#host = new ServerHost({
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(advertisedHost !== undefined && { advertisedHost }),
      limits: this.#limits,
      tls,
    });
    this.#host.addService(rawService('Records'), {
      Frames: (call: FrameCall) => {
        const incoming = new IncomingFrameStream(call, {
          clusterId,
          localShard,
          nodeOf: tls === null ? null : (session) => tls.nodeOf(session),
          limits: this.#limits,
          onOpen,
          onClosed: (closed) => this.#incoming.delete(closed),
        });
        this.#incoming.add(incoming);
      },
    });
    return this.#host.listen();
  }

  /** Ends all streams; their `onEnd` comes before this resolves. Bounded by `closeTimeoutMs`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of [...this.#outgoing]) stream.close();
    for (const stream of [...this.#incoming]) stream.shutDown();
    await this.#host?.close();
  }
}
