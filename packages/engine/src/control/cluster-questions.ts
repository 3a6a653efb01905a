import type { LeaseTable } from '@holdfast/lease';
import { errorText, hashUnit, type NodeId, unitHashOut } from '@holdfast/model';
import { PeerCallError, type PeerTransport } from '../ports/peer-transport.ts';
import { decodeHex, decodeJson, encodeHex, encodeJson, type QueryRequest } from './calls.ts';
import type { NodeStatusRow, UserQueryAnswer } from './control-answers.ts';
import { type ControlStatus, unitInfoOf } from './control-status.ts';
import type { ShardPort } from './shard-port.ts';
import type { QueryAnswer, ShardQueries } from './shard-queries.ts';

export interface ClusterQuestionsOptions {
  readonly nodeId: NodeId;
  readonly table: LeaseTable;
  readonly transport: PeerTransport;
  readonly queries: ShardQueries;
  /** One of this node's own. */
  readonly shard: (index: number) => ShardPort | undefined;
  /** This node's own. */
  readonly status: () => ControlStatus;
}

/** What operators ask of any node about the others: their status, and a user at whoever holds it. */
export class ClusterQuestions {
  readonly #options: ClusterQuestionsOptions;

  constructor(options: ClusterQuestionsOptions) {
    this.#options = options;
  }

  /** Of this node, the named ones and those with a session, each within the deadline; sorted by id. */
  statusOf(nodes: readonly NodeId[], timeoutMs: number): Promise<NodeStatusRow[]> {
    const { nodeId, table } = this.#options;
    const ids = new Set<NodeId>([nodeId, ...nodes]);
    for (const session of table.sessions()) ids.add(session.nodeId);
    return Promise.all([...ids].sort().map((id) => this.#nodeStatus(id, timeoutMs)));
  }

  /** Reads the own table: see `ControlPlane.queryUser`. */
  async user(key: Uint8Array, timeoutMs: number): Promise<UserQueryAnswer> {
    const { nodeId, table, transport } = this.#options;
    hashUnit(key, 0, key.length);
    const holder = unitInfoOf(table, unitHashOut.hi, unitHashOut.lo);
    if (holder === null) return { holder, answer: null };
    if (holder.nodeId === nodeId) return { holder, answer: await this.#askShard(holder.shard, key, timeoutMs) };
    const request: QueryRequest = { shard: holder.shard, keyHex: encodeHex(key), timeoutMs };
    try {
      const bytes = await transport.call(holder.nodeId, 'query', encodeJson(request), timeoutMs);
      return { holder, answer: decodeJson<QueryAnswer>(bytes) };
    } catch (error) {
      if (!(error instanceof PeerCallError)) throw error;
      return { holder, answer: { code: 'UNREACHABLE', text: error.message } };
    }
  }

  /** Another node's question about a user that is held here. */
  async answer(body: Uint8Array): Promise<Uint8Array> {
    const { shard, keyHex, timeoutMs } = decodeJson<QueryRequest>(body);
    return encodeJson(await this.#askShard(shard, decodeHex(keyHex), timeoutMs));
  }

  #askShard(shard: number, key: Uint8Array, timeoutMs: number): Promise<QueryAnswer> {
    return this.#options.queries.ask(this.#options.shard(shard), key, timeoutMs);
  }

  async #nodeStatus(id: NodeId, timeoutMs: number): Promise<NodeStatusRow> {
    const { nodeId, transport, status } = this.#options;
    if (id === nodeId) return { nodeId: id, reachable: true, status: status() };
    try {
      const bytes = await transport.call(id, 'status', new Uint8Array(), timeoutMs);
      return { nodeId: id, reachable: true, status: decodeJson<ControlStatus>(bytes) };
    } catch (error) {
      return { nodeId: id, reachable: false, error: errorText(error) };
    }
  }
}
