import type { NodeId } from '@holdfast/model';
import type { MemberClaim } from '../member.ts';

/** A claim on its way, with what belongs to it but not to the member. */
export interface News {
  readonly claim: MemberClaim;
  /**
   * How long ago the member died or left, as far as is known; 0 for the living. So all nodes forget it at about the same
   * time, and none hands a tombstone back to one that has forgotten it.
   */
  readonly ageMs: number;
  /** Who suspects it by probes of its own; empty unless it is a suspicion. */
  readonly accusers: readonly NodeId[];
}

/**
 * - `ping`: is the node of this name at this address? Answered by `ack` with the same seq.
 * - `pingReq`: ping it for me. Answered by `relayed` when it answered, by `nack` when it didn't in time: then at least the
 *   way to the relay is sound, and the asker needn't doubt itself (Lifeguard).
 * - `pull`: this is the digest of my table; if yours differs send it. `back`: it is the other half of an exchange.
 * - `news`: only claims
 */
export type SwimMessage =
  | { readonly type: 'ping'; readonly seq: number; readonly target: NodeId }
  | { readonly type: 'ack' | 'nack'; readonly seq: number }
  | { readonly type: 'relayed'; readonly seq: number }
  | { readonly type: 'pingReq'; readonly seq: number; readonly target: NodeId; readonly address: string }
  | { readonly type: 'pull'; readonly digest: number; readonly back: boolean }
  | { readonly type: 'news' };

/** One datagram's worth: who sends it, one message, and news that rides along. */
export interface SwimPacket {
  readonly from: NodeId;
  readonly message: SwimMessage;
  readonly news: readonly News[];
}
