import type { PeerHandlers, PeerTransport } from '@holdfast/engine';
import { PeerCallError } from '@holdfast/engine';
import { assert, type NodeId } from '@holdfast/model';
import { encodeMessage, type RaftMessage } from '@holdfast/raft';
import { rawService } from './definitions.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { PeerLink } from './peer-link.ts';
import { PeerService } from './peer-service.ts';
import type { ServerHost } from './server-host.ts';
import type { TlsFiles } from './tls.ts';
import { tryConnect } from './try-connect.ts';

export interface GrpcPeerTransportOptions {
  readonly nodeId: NodeId;
  /** Peers of other clusters are refused. */
  readonly clusterId: string;
  /** The control server of the process. The transport makes it listen, and closes it. */
  readonly host: ServerHost;
  readonly limits?: Partial<TransportLimits>;
  /** The same as the host's. Peers' certificates must name their node ids (DNS subject alternative name). */
  readonly tls?: TlsFiles | null;
}

/** `PeerTransport` over gRPC: one connection per peer, one server per process. */
export class GrpcPeerTransport implements PeerTransport {
  readonly #options: GrpcPeerTransportOptions;
  readonly #limits: TransportLimits;
  readonly #links = new Map<NodeId, PeerLink>();
  #handlers: PeerHandlers | null = null;
  #service: PeerService | null = null;
  #closed = false;

  constructor(options: GrpcPeerTransportOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** Raft messages dropped because too many waited, over all present peers. */
  get droppedCount(): number {
    return [...this.#links.values()].reduce((sum, link) => sum + link.droppedCount, 0);
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    if (this.#closed) return;
    for (const [peer, link] of this.#links) {
      if (addresses.get(peer) === link.address) continue;
      link.close();
      this.#links.delete(peer);
    }
    for (const [peer, address] of addresses) {
      if (this.#links.has(peer) || peer === this.#options.nodeId) continue;
      const { nodeId, clusterId, tls = null } = this.#options;
      const hello = { clusterId, from: nodeId, to: peer };
      const onHint = () => this.#handlers?.onUnreachable(peer);
      this.#links.set(peer, new PeerLink(address, hello, this.#limits, tls, onHint));
    }
  }

  sendRaft(to: NodeId, messages: readonly RaftMessage[]): void {
    const link = this.#links.get(to);
    if (link !== undefined) for (const message of messages) link.sendRaft(encodeMessage(message));
  }

  async call(to: NodeId, method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const link = this.#links.get(to);
    if (link === undefined) throw new PeerCallError('UNREACHABLE', `no address is known for node ${to}`);
    return link.call(method, body, timeoutMs);
  }

  tryConnect(address: string, timeoutMs: number): Promise<'refused' | 'accepted' | 'unknown'> {
    return tryConnect(address, timeoutMs);
  }

  /** @throws TransportError */
  async listen(handlers: PeerHandlers): Promise<string> {
    assert(this.#service === null && !this.#closed, 'listen is called once, before close');
    const { nodeId, clusterId, host, tls = null } = this.#options;
    this.#handlers = handlers;
    this.#service = new PeerService({ nodeId, clusterId, withTls: tls !== null, limits: this.#limits, handlers });
    host.addService(rawService('Peers'), this.#service.implementation);
    return host.listen();
  }

  /** Cuts all connections; calls under way fail. Bounded by `closeTimeoutMs`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#handlers = null;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#service?.shutDown();
    await this.#options.host.close();
  }
}
