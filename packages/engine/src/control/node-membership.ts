import type { LeaseTable } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { Timers } from '../ports/timers.ts';
import { decodeJson, type EndingReason, encodeJson, type LeaderReply } from './calls.ts';
import { type EpochLog, type EpochStore, epochBaseOf } from './epoch-base.ts';
import { Founding, foundingMethod } from './founding.ts';
import type { LeaderCalls } from './leader-calls.ts';
import { MemberJoin } from './member-join.ts';
import { type JoinRequest, joinMethod, MemberKeeper } from './member-keeper.ts';
import { removedText, standingOf } from './member-standing.ts';
import type { NodeIncarnation } from './node-session-options.ts';
import type { RaftDriver } from './raft-driver.ts';
import { ReluctantVoter } from './reluctant-voter.ts';
import type { ServiceLook } from './service-watch.ts';

export interface NodeMembershipOptions {
  readonly nodeId: NodeId;
  /** This node's name among Raft's members. */
  readonly member: string;
  /** Of the data folder, and which start this is. */
  readonly incarnation: NodeIncarnation;
  /** The nodes by which the cluster is founded; others join. */
  readonly voters: readonly NodeId[];
  readonly store: EpochStore;
  readonly log: EpochLog;
  readonly votersWanted: number;
  readonly zoneOf: (node: NodeId) => string | null;
  readonly table: LeaseTable;
  readonly driver: RaftDriver;
  readonly leaderCalls: LeaderCalls;
  readonly transport: Pick<PeerTransport, 'call'>;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly services: ServiceLook | undefined;
  readonly serviceAwayMs: number;
  /** This node was removed, or its name is another folder's: it must end. */
  readonly onRefused: (reason: EndingReason, text: string) => void;
}

/** A node's part in Raft's membership: it founds, joins, and while it leads takes care of who is in. */
export class NodeMembership {
  readonly #options: NodeMembershipOptions;
  readonly #founding: Founding;
  readonly #join: MemberJoin;
  readonly #reluctance: ReluctantVoter;
  #keeper: MemberKeeper | null = null;

  constructor(options: NodeMembershipOptions) {
    this.#options = options;
    const { incarnation, leaderCalls, store, log } = options;
    this.#founding = new Founding({
      ...options,
      peers: () => leaderCalls.peers,
      hasRunBefore: incarnation.counter > 1,
      epochBase: () => epochBaseOf(store, log),
    });
    this.#join = new MemberJoin({ ...options, uuid: incarnation.uuid });
    this.#reluctance = new ReluctantVoter(options);
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
    return encodeJson(this.#answerJoin(from, decodeJson<JoinRequest>(body)));
  }

  #answerJoin(from: NodeId, request: JoinRequest): LeaderReply {
    const { driver } = this.#options;
    // What any node has applied is committed: nobody needs a leader for being told this.
    if (standingOf(driver.members(), request.member) === 'removed') {
      return { code: 'REFUSED', reason: 'REMOVED', text: removedText(request.member) };
    }
    const { leader, role } = driver.leadership;
    return this.#keeper?.join(from, request) ?? { code: 'NOT_LEADER', leader: role === 'leader' ? null : leader };
  }

  close(): void {
    this.lead(false);
    this.#reluctance.close();
    this.#founding.close();
    this.#join.close();
  }
}
