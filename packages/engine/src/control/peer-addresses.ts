import type { LeaseTable } from '@holdfast/lease';
import type { NodeId } from '@holdfast/model';
import { allMembers, type ConfState } from '@holdfast/raft';
import { nodeOfMember } from './member-id.ts';

/**
 * Where the control threads of the other nodes are. Who is a member of Raft has to be sent the log, whatever is thought of
 * it: where nothing is told of one, its last session says where it is, or what was known of it before.
 */
export class PeerAddresses {
  readonly #self: NodeId;
  #told: ReadonlyMap<NodeId, string> = new Map();
  #lastKnown: ReadonlyMap<NodeId, string> = new Map();
  /** Of members that have, or had, a session. */
  #ofSessions = new Map<NodeId, string>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** @param lastKnown of nodes that seem to be gone */
  tell(addresses: ReadonlyMap<NodeId, string>, lastKnown: ReadonlyMap<NodeId, string>): void {
    this.#told = addresses;
    this.#lastKnown = lastKnown;
  }

  /** The others of which something is told, sorted. */
  get told(): NodeId[] {
    return [...this.#told.keys()].filter((id) => id !== this.#self).sort();
  }

  /** As of now, without this node's own. */
  all(table: Pick<LeaseTable, 'sessions'>, conf: ConfState): Map<NodeId, string> {
    for (const { nodeId, addresses } of table.sessions()) this.#ofSessions.set(nodeId, addresses[0]!);
    const members = new Set(allMembers(conf).map(nodeOfMember));
    this.#ofSessions = new Map([...this.#ofSessions].filter(([id]) => members.has(id)));
    const all = new Map(this.#told);
    for (const id of members) {
      const address = all.get(id) ?? this.#ofSessions.get(id) ?? this.#lastKnown.get(id);
      if (address !== undefined) all.set(id, address);
    }
    all.delete(this.#self);
    return all;
  }
}
