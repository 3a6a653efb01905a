import type { Logger, NodeId } from '@holdfast/model';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { Timers } from '../ports/timers.ts';
import { decodeJson, encodeJson, type LeaderReply } from './calls.ts';
import { Founding, foundingMethod } from './founding.ts';
import type { LeaderCalls } from './leader-calls.ts';
import { MemberJoin } from './member-join.ts';
import { type JoinRequest, joinMethod, MemberKeeper } from './member-keeper.ts';
import type { RaftDriver } from './raft-driver.ts';

export interface NodeMembershipOptions {
  readonly nodeId: NodeId;
  /** This node's name among Raft's members. */
  readonly member: string;
  /** The nodes by which the cluster is founded; others join. */
  readonly voters: readonly NodeId[];
  readonly votersWanted: number;
  readonly zoneOf: (node: NodeId) => string | null;
  readonly hasSession: (node: NodeId) => boolean;
  readonly driver: RaftDriver;
  readonly leaderCalls: LeaderCalls;
  readonly transport: Pick<PeerTransport, 'call'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** A node's part in Raft's membership: it founds, joins, and while it leads takes care of who is in. */
export class NodeMembership {
  readonly #options: NodeMembershipOptions;
  readonly #founding: Founding;
  readonly #join: MemberJoin;
  #keeper: MemberKeeper | null = null;

  constructor(options: NodeMembershipOptions) {
    this.#options = options;
    this.#founding = new Founding(options);
    this.#join = new MemberJoin(options);
  }

  /** Of the present leadership of this node, if any. */
  get keeper(): MemberKeeper | null {
    return this.#keeper;
  }

  /** A leadership has begun, or ended. */
  lead(isLeading: boolean): void {
    this.#keeper?.end();
    this.#keeper = isLeading ? new MemberKeeper(this.#options) : null;
  }

  /** Answers the calls that are about membership; null for others. */
  answer(from: NodeId, method: string, body: Uint8Array): Uint8Array | null {
    if (method === foundingMethod) return this.#founding.answer(from, body);
    if (method !== joinMethod) return null;
    const { leader, role } = this.#options.driver.leadership;
    const notLeader: LeaderReply = { code: 'NOT_LEADER', leader: role === 'leader' ? null : leader };
    return encodeJson(this.#keeper?.join(from, decodeJson<JoinRequest>(body)) ?? notLeader);
  }

  close(): void {
    this.lead(false);
    this.#founding.close();
    this.#join.close();
  }
}
