import type { NodeId, SessionId } from '@holdfast/model';
import type { Incarnation } from './records.ts';
import type { SessionInfo } from './replay-outcome.ts';

/** The latest incarnation of a node that the table has known, kept after its session has ended. */
export interface KnownNode {
  readonly nodeId: NodeId;
  readonly uuid: string;
  readonly counter: number;
  /** 0 when its session is over */
  readonly session: SessionId;
  /** It is to hold and read nothing. */
  readonly draining: boolean;
}

const noSession = 0 as SessionId;

/** Sessions and the names they go by (PROTOCOL.md 1). Part of the table's replicated state. */
export class SessionRegistry {
  readonly #sessions = new Map<SessionId, SessionInfo>();
  readonly #nodes = new Map<NodeId, KnownNode>();
  #shardCount = 0;

  /** Shards of all live sessions. */
  get shardCount(): number {
    return this.#shardCount;
  }

  sessions(): IterableIterator<SessionInfo> {
    return this.#sessions.values();
  }

  nodes(): IterableIterator<KnownNode> {
    return this.#nodes.values();
  }

  session(session: SessionId): SessionInfo | undefined {
    return this.#sessions.get(session);
  }

  node(nodeId: NodeId): KnownNode | undefined {
    return this.#nodes.get(nodeId);
  }

  open(session: SessionId, incarnation: Incarnation): SessionInfo {
    const { nodeId, uuid, counter, shards, addresses, version } = incarnation;
    const info = { session, nodeId, uuid, counter, shards, addresses, version, closing: false };
    this.restoreSession(info);
    const draining = this.#nodes.get(nodeId)?.draining ?? false;
    this.restoreNode({ nodeId, uuid, counter, session, draining });
    return info;
  }

  close(session: SessionId): void {
    this.#sessions.set(session, { ...this.#sessions.get(session)!, closing: true });
  }

  end(session: SessionId): void {
    const info = this.#sessions.get(session)!;
    this.#sessions.delete(session);
    this.#shardCount -= info.shards;
    this.#nodes.set(info.nodeId, { ...this.#nodes.get(info.nodeId)!, session: noSession });
  }

  setDraining(nodeId: NodeId, draining: boolean): void {
    this.#nodes.set(nodeId, { ...this.#nodes.get(nodeId)!, draining });
  }

  forget(nodeId: NodeId): void {
    this.#nodes.delete(nodeId);
  }

  restoreSession(info: SessionInfo): void {
    this.#sessions.set(info.session, info);
    this.#shardCount += info.shards;
  }

  restoreNode(node: KnownNode): void {
    this.#nodes.set(node.nodeId, node);
  }
}
