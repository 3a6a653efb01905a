import type { ControlStatus } from '@holdfast/engine';
import type { Member } from '@holdfast/membership';

/** Where nodes may be known from, at the node that is asked. */
export interface NodeSources {
  readonly self: string;
  /** `cluster.peers` */
  readonly configured: readonly { readonly id: string; readonly address: string }[];
  readonly raft: Pick<ControlStatus['raft'], 'voters' | 'votersOutgoing' | 'learners'>;
  readonly sessions: readonly { readonly nodeId: string; readonly peerAddress: string }[];
  readonly gossip: readonly {
    readonly id: string;
    readonly state: Member['state'];
    readonly meta: { readonly peerAddress: string };
  }[];
}

/**
 * The nodes of the cluster and where they are: its members, who has a session, and who runs. A configuration only says who
 * there was at the beginning: once a cluster is founded a peer that was removed is none of its nodes, nor is one that gossip
 * remembers as dead or gone.
 * @returns address by id; an empty one where nobody knows it
 */
export function knownNodes({ self, configured, raft, sessions, gossip }: NodeSources): Map<string, string> {
  const members = [...raft.voters, ...raft.votersOutgoing, ...raft.learners];
  const running = gossip.filter(({ state }) => state === 'alive' || state === 'suspect').map(({ id }) => id);
  const isFounded = members.length > 0;
  const ids = new Set([
    ...(isFounded ? [] : configured.map(({ id }) => id)),
    ...members,
    ...sessions.map(({ nodeId }) => nodeId),
    ...running,
    self,
  ]);
  // Gossip knows best, also of the dead: the others are as old as a file, or a session's begin.
  const addresses = new Map([
    ...configured.map(({ id, address }) => [id, address] as const),
    ...sessions.map(({ nodeId, peerAddress }) => [nodeId, peerAddress] as const),
    ...gossip.map(({ id, meta }) => [id, meta.peerAddress] as const),
  ]);
  return new Map([...ids].map((id) => [id, addresses.get(id) ?? '']));
}
