import type { NodeId } from '@holdfast/model';

/**
 * What a member's state can be, in the order in which it wins at equal incarnation.
 * `suspect`: a probe failed; the member may refute. `dead`: it didn't in time. `left`: it said goodbye.
 */
export const memberStates = ['alive', 'suspect', 'dead', 'left'] as const;
export type MemberState = (typeof memberStates)[number];

/** What a node tells about itself. Only the node itself changes it, and raises its incarnation when it does. */
export interface NodeMeta {
  /** Of the data folder, lower-case hex with dashes. Another uuid under a known id is another node. */
  readonly uuid: string;
  /** Raised at each start: (uuid, startCounter) is the node incarnation of PROTOCOL.md 1. */
  readonly startCounter: number;
  /** Program version, for rolling upgrades. */
  readonly version: string;
  /** host:port of the control service. */
  readonly peerAddress: string;
  /** host:port of each shard's stream endpoint; index = shard index. */
  readonly shardAddresses: readonly string[];
  /** host:port of health, metrics and dashboard. */
  readonly httpAddress: string | null;
  /** Failure domain, as the operator named it. */
  readonly zone: string | null;
}

/** A statement about a member, by itself or by another: what gossip carries. */
export interface MemberClaim {
  readonly id: NodeId;
  /** Raised by the member alone; a claim of a higher one beats all of lower ones. */
  readonly incarnation: number;
  readonly state: MemberState;
  /** host:port of its gossip socket. */
  readonly gossipAddress: string;
  readonly meta: NodeMeta;
}

/** A member as this node sees it. */
export interface Member extends MemberClaim {
  /** When this node first saw it in this state and start; monotonic, of this process only, never merged. */
  readonly sinceMs: number;
}

/** Whether traffic to it is worth trying. A suspect may well be healthy. */
export function isReachable(member: MemberClaim): boolean {
  return member.state === 'alive' || member.state === 'suspect';
}

/** Whether two claims are of the same start of the same data folder. */
export function isSameStart(a: MemberClaim, b: MemberClaim): boolean {
  return a.meta.uuid === b.meta.uuid && a.meta.startCounter === b.meta.startCounter;
}
