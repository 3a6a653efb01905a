import type { Member, MemberChange, NodeMeta } from '@holdfast/membership';
import type { NodeId } from '@holdfast/model';

/**
 * Who is in the cluster, where they listen, who seems to be gone: hints, spread by gossip.
 *
 * What it promises:
 * - **Only hints.** A member shown as alive may be gone, one shown as dead may serve on. Nothing here takes a lease
 *   away, ends a session, or counts towards a quorum: ownership is decided by log entries alone (PROTOCOL.md 1, 2). It
 *   may route, shed load, and start a question to the log.
 * - **Convergence.** While the network delivers between any two members now and then, all views become equal, also
 *   after a cut of any length; while nothing changes, nothing is told.
 * - **Order.** Changes come in the order in which this node learned of them, each after `members()` shows it; a
 *   member's incarnation never falls. Two nodes may learn of changes in different orders.
 * - **Bounds.** The table has a cap; what doesn't fit is told as `refused`.
 * - A member is told `dead` only after it had time to refute, and not for a stall of this process.
 *
 * What it doesn't promise: that a claim is true (anyone who holds the gossip key can lie), or any time bound under loss.
 */
export interface Gossip {
  /**
   * Opens the socket and begins to look for the seeds, for ever: resolves when it listens, not when somebody was found,
   * since the first node of a cluster finds nobody.
   * Rejects with a `GossipFailure` when the address can't be had. A `Gossip` has one life: no start after stop.
   */
  start(): Promise<void>;

  /** This node's own gossip address, as told to others; null before `start`. */
  readonly address: string | null;

  /** Everybody known, this node and tombstones included, sorted by id. A new array only when something changed. */
  members(): readonly Member[];

  /**
   * Calls back after each step that changed something. It may call any method of this port. What it throws is not
   * caught: a consumer that can't go on must not be passed over.
   * @returns takes the listener away again
   */
  onChange(listener: (changes: readonly MemberChange[]) => void): () => void;

  /** Tells the cluster something new about this node. uuid and startCounter must stay the same. */
  updateMeta(meta: NodeMeta): void;

  /**
   * A connection to this node was refused or broke. A hint that may hurry a probe, or nothing: it shortens no one's time to
   * refute. Of unknown ids no notice is taken.
   */
  reportUnreachable(id: NodeId): void;

  /**
   * Says goodbye, so that others show this node as `left` at once, then stops. Says it more than once but waits for no
   * answer: a goodbye that got lost looks like a crash.
   */
  leave(): Promise<void>;

  /** Stops without a word, as in a crash; `members()` keeps its last answer. Does nothing when stopped. */
  stop(): Promise<void>;
}

/**
 * What an error thrown by a `Gossip` carries.
 * - `GOSSIP_OPTIONS`: what was configured can't work; all problems at once
 * - `GOSSIP_PORT_IN_USE`: another process listens there, often an earlier start that still runs
 * - `GOSSIP_ADDRESS_UNAVAILABLE`: the host is no address of this machine, can't be resolved, or may not be used
 */
export type GossipFailure =
  | { readonly code: 'GOSSIP_OPTIONS'; readonly problems: readonly string[] }
  | { readonly code: 'GOSSIP_PORT_IN_USE'; readonly address: string }
  | { readonly code: 'GOSSIP_ADDRESS_UNAVAILABLE'; readonly address: string };
