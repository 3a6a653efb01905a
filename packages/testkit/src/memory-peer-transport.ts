import { PeerCallError, type PeerHandlers, type PeerTransport } from '@holdfast/engine';
import { assert, errorText, type NodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';
import { type Attached, addressInUse, type MemoryNetwork } from './memory-network.ts';
import { MemoryPipe } from './memory-pipe.ts';

export interface MemoryPeerTransportOptions {
  readonly network: MemoryNetwork;
  /** The place it lives at: cuts and crashes name it. */
  readonly site: string;
  readonly nodeId: NodeId;
  readonly clusterId?: string;
  /** Default: one that nobody else has. */
  readonly address?: string;
  /** Raft batches under way to one peer; beyond it the oldest is dropped. */
  readonly raftQueueCountMax?: number;
}

/** One peer, as known by address. */
interface PeerLink {
  readonly address: string;
  readonly pipe: MemoryPipe<readonly RaftMessage[]>;
  up: boolean;
}

interface PendingCall {
  readonly site: string;
  readonly reject: (error: PeerCallError) => void;
}

/** In-memory twin of the peer transport. Messages and bodies go by reference: nobody may change them. */
export class MemoryPeerTransport implements PeerTransport, Attached {
  readonly site: string;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly #network: MemoryNetwork;
  readonly #address: string;
  readonly #raftQueueCountMax: number;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #calls = new Set<PendingCall>();
  #handlers: PeerHandlers | null = null;
  #closed = false;

  constructor(options: MemoryPeerTransportOptions) {
    this.site = options.site;
    this.nodeId = options.nodeId;
    this.clusterId = options.clusterId ?? 'cluster';
    this.#network = options.network;
    this.#address = options.address ?? options.network.newAddress(options.site);
    this.#raftQueueCountMax = options.raftQueueCountMax ?? 4096;
    options.network.attach(this);
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    if (this.#closed) return;
    for (const [peer, link] of this.#links) {
      if (addresses.get(peer) === link.address) continue;
      link.pipe.clear();
      this.#links.delete(peer);
    }
    for (const [peer, address] of addresses) {
      if (this.#links.has(peer) || peer === this.nodeId) continue;
      const toSite = this.#network.siteOf(address);
      const pipe = new MemoryPipe<readonly RaftMessage[]>(this.#network, this.site, toSite, (messages) =>
        this.#deliver(peer, messages),
      );
      this.#links.set(peer, { address, pipe, up: true });
    }
  }

  sendRaft(to: NodeId, messages: readonly RaftMessage[]): void {
    const link = this.#links.get(to);
    if (link === undefined || messages.length === 0) return;
    if (this.#network.draw(this.#network.faults.lossRatio)) return;
    link.pipe.push([...messages]);
    if (this.#network.draw(this.#network.faults.duplicateRatio)) link.pipe.push([...messages]);
    while (link.pipe.count > this.#raftQueueCountMax) link.pipe.dropOldest();
  }

  call(to: NodeId, method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const link = this.#links.get(to);
    if (link === undefined || this.#closed) {
      return Promise.reject(new PeerCallError('UNREACHABLE', `no address is known for node ${to}`));
    }
    const { time } = this.#network;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (!this.#calls.delete(pending)) return;
        cancelDeadline();
        act();
      };
      const pending: PendingCall = {
        site: this.#network.siteOf(link.address),
        reject: (error) => settle(() => reject(error)),
      };
      this.#calls.add(pending);
      const cancelDeadline = time.setTimer(timeoutMs, () =>
        pending.reject(new PeerCallError('DEADLINE', `no answer within ${timeoutMs} ms`)),
      );
      this.#carry(this.site, pending.site, () => {
        const there = this.#target(to, link.address);
        if (typeof there === 'string') {
          pending.reject(new PeerCallError('UNREACHABLE', there));
          return;
        }
        const back = (act: () => void) => this.#carry(there.site, this.site, () => settle(act));
        there.answer(this.nodeId, method, body).then(
          (answer) => back(() => resolve(answer)),
          (error: unknown) => back(() => reject(new PeerCallError('FAILED', errorText(error)))),
        );
      });
    });
  }

  tryConnect(address: string, timeoutMs: number): Promise<'refused' | 'accepted' | 'unknown'> {
    const { time } = this.#network;
    return new Promise((resolve) => {
      const cancelDeadline = time.setTimer(timeoutMs, () => resolve('unknown'));
      const site = this.#network.siteOf(address);
      this.#carry(this.site, site, () => {
        const outcome = this.#network.listener(address) === undefined ? 'refused' : 'accepted';
        this.#carry(site, this.site, () => {
          cancelDeadline();
          resolve(outcome);
        });
      });
    });
  }

  async listen(handlers: PeerHandlers): Promise<string> {
    assert(this.#handlers === null && !this.#closed, 'listen is called once, before close');
    if (!this.#network.listen(this.#address, this)) throw addressInUse(this.#address);
    this.#handlers = handlers;
    return this.#address;
  }

  async close(): Promise<void> {
    this.vanish();
    for (const call of [...this.#calls]) call.reject(new PeerCallError('UNREACHABLE', 'the connection is closed here'));
  }

  // What follows is for the network and its transports.

  vanish(): void {
    this.#closed = true;
    this.#handlers = null;
    this.#network.unlisten(this.#address, this);
    this.#network.detach(this);
    for (const link of this.#links.values()) link.pipe.clear();
    this.#links.clear();
  }

  /** A site crashed or a cut was healed: calls to the former fail, what was held up by the latter goes on. */
  onSiteCrashed(site: string): void {
    for (const call of [...this.#calls]) {
      if (call.site === site) call.reject(new PeerCallError('UNREACHABLE', 'connection reset'));
    }
  }

  onHealed(): void {
    for (const link of this.#links.values()) link.pipe.resume();
  }

  /** Never settles when this site is gone by the time of the answer. */
  answer(from: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    const run = async () => this.#handlers?.onCall(from, method, body) ?? new Promise<Uint8Array>(() => {});
    return new Promise((resolve, reject) => {
      run().then(
        (answer) => this.#closed || resolve(answer),
        (error) => this.#closed || reject(error),
      );
    });
  }

  receive(from: NodeId, messages: readonly RaftMessage[]): void {
    this.#handlers?.onRaft(from, messages);
  }

  #deliver(to: NodeId, messages: readonly RaftMessage[]): void {
    const link = this.#links.get(to);
    if (link === undefined) return;
    const there = this.#target(to, link.address);
    const up = typeof there !== 'string';
    if (up) there.receive(this.nodeId, messages);
    if (link.up === up) return;
    link.up = up;
    this.#handlers?.onUnreachable(to);
  }

  /** Who listens there, or why it is not the node that we want. */
  #target(node: NodeId, address: string): MemoryPeerTransport | string {
    const there = this.#network.listener(address);
    if (!(there instanceof MemoryPeerTransport)) return `nobody listens on ${address}`;
    if (there.clusterId !== this.clusterId) return `this is cluster ${there.clusterId}, not ${this.clusterId}`;
    if (there.nodeId !== node) return `this is node ${there.nodeId}, not ${node}`;
    return there;
  }

  #carry(from: string, to: string, arrive: () => void): void {
    if (this.#network.draw(this.#network.faults.lossRatio)) return;
    this.#network.time.setTimer(this.#network.drawDelayMs(), () => {
      if (!this.#network.isCut(from, to)) arrive();
    });
  }
}
