import type { NodeId } from '@holdfast/model';
import type { PeerTransport } from '../ports/peer-transport.ts';
import { decodeJson, encodeJson } from './calls.ts';
import type { HandOverRequest } from './move-calls.ts';
import { checkedHandOver } from './request-checks.ts';

/** An order that isn't taken by then is given anew, or asked for again. */
const orderDeadlineMs = 1_500;

/** What this node does when it is ordered to. */
export interface OrderTaker {
  /** False: there is no such session here, or it takes no orders. */
  handOver(request: HandOverRequest): boolean;
  leave(): void;
}

/** The orders that a leader gives to nodes, and that a node takes from its leader, itself among them. */
export class NodeOrders {
  readonly #nodeId: NodeId;
  readonly #transport: Pick<PeerTransport, 'call'>;
  readonly #taker: OrderTaker;

  constructor(nodeId: NodeId, transport: Pick<PeerTransport, 'call'>, taker: OrderTaker) {
    this.#nodeId = nodeId;
    this.#transport = transport;
    this.#taker = taker;
  }

  /** @returns the answer; null: it is no order. @throws ByteFormatError for an order that makes no sense */
  take(method: string, body: Uint8Array): Uint8Array | null {
    switch (method) {
      case 'node.leave':
        this.#taker.leave();
        return encodeJson({});
      case 'units.handOver':
        return encodeJson({ taken: this.#taker.handOver(checkedHandOver(decodeJson(body))) });
      default:
        return null;
    }
  }

  /** False: the order isn't taken. @throws PeerCallError */
  async handOver(nodeId: NodeId, request: HandOverRequest): Promise<boolean> {
    if (nodeId === this.#nodeId) return this.#taker.handOver(request);
    const bytes = await this.#transport.call(nodeId, 'units.handOver', encodeJson(request), orderDeadlineMs);
    return decodeJson<{ taken: boolean }>(bytes).taken;
  }

  /** To drain and stop, for good. @throws PeerCallError */
  async leave(nodeId: NodeId): Promise<void> {
    if (nodeId === this.#nodeId) this.#taker.leave();
    else await this.#transport.call(nodeId, 'node.leave', new Uint8Array(), orderDeadlineMs);
  }
}
