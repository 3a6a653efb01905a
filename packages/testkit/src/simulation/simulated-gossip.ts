import { type NodeId, type Rng, randomRatio } from '@holdfast/model';

/** What one node believes of another. Hints: late, and now and then wrong. */
export interface GossipHint {
  address: string;
  /** Of the incarnation that the address is of. */
  start: number;
  state: 'alive' | 'suspect' | 'dead';
  misses: number;
}

/** A node as the gossip sees it; null addresses and deaf nodes are part of the picture. */
export interface GossipNode {
  readonly id: NodeId;
  readonly isAnswering: boolean;
  readonly start: number;
  readonly address: string;
}

/** What the simulation needs of a membership protocol. A simulated SWIM has its place behind this interface. */
export interface SimulatedMembership {
  /** Called every `gossipRoundMs`. @param reaches does something sent now from one to the other arrive? */
  round(nodes: readonly GossipNode[], reaches: (from: NodeId, to: NodeId) => boolean): readonly NodeId[];
  view(of: NodeId): ReadonlyMap<NodeId, Readonly<GossipHint>>;
  /** The node has begun anew and knows what its configuration says. */
  restarted(id: NodeId, seeds: ReadonlyMap<NodeId, { readonly address: string; readonly start: number }>): void;
}

export const gossipRoundMs = 500;
const suspectMisses = 6;
const deadMisses = 12;

/** A stand-in for gossip: everybody asks everybody now and then, and tells on what it has heard. */
export class SimulatedGossip implements SimulatedMembership {
  readonly #rng: Rng;
  readonly #views = new Map<NodeId, Map<NodeId, GossipHint>>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  view(of: NodeId): ReadonlyMap<NodeId, Readonly<GossipHint>> {
    return this.#viewOf(of);
  }

  restarted(id: NodeId, seeds: ReadonlyMap<NodeId, { readonly address: string; readonly start: number }>): void {
    const view = new Map<NodeId, GossipHint>();
    for (const [peer, { address, start }] of seeds) view.set(peer, { address, start, state: 'alive', misses: 0 });
    this.#views.set(id, view);
  }

  /** @returns whose view of addresses has changed */
  round(nodes: readonly GossipNode[], reaches: (from: NodeId, to: NodeId) => boolean): readonly NodeId[] {
    const changed = new Set<NodeId>();
    for (const asker of nodes) {
      if (!asker.isAnswering) continue;
      for (const asked of nodes) {
        if (asked === asker || randomRatio(this.#rng) < 0.2) continue;
        const isHeard = asked.isAnswering && reaches(asker.id, asked.id) && reaches(asked.id, asker.id);
        if (!isHeard) this.#missed(asker.id, asked.id);
        else if (this.#heard(asker.id, asked)) changed.add(asker.id);
        if (isHeard && this.#toldOn(asker.id, asked.id)) changed.add(asker.id);
      }
    }
    return [...changed];
  }

  #heard(by: NodeId, { id, address, start }: GossipNode): boolean {
    const view = this.#viewOf(by);
    const isNew = view.get(id)?.address !== address;
    view.set(id, { address, start, state: 'alive', misses: 0 });
    return isNew;
  }

  #missed(by: NodeId, id: NodeId): void {
    const hint = this.#viewOf(by).get(id);
    if (hint === undefined) return;
    hint.misses++;
    if (hint.misses >= deadMisses) hint.state = 'dead';
    else if (hint.misses >= suspectMisses) hint.state = 'suspect';
  }

  /** Newer addresses spread from mouth to mouth. */
  #toldOn(to: NodeId, from: NodeId): boolean {
    let isNews = false;
    const view = this.#viewOf(to);
    for (const [id, hint] of this.#viewOf(from)) {
      const known = view.get(id);
      if (id === to || (known !== undefined && known.start >= hint.start)) continue;
      view.set(id, { ...hint, misses: 0 });
      isNews = true;
    }
    return isNews;
  }

  #viewOf(id: NodeId): Map<NodeId, GossipHint> {
    let view = this.#views.get(id);
    if (view === undefined) this.#views.set(id, (view = new Map()));
    return view;
  }
}
