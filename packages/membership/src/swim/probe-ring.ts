import { type NodeId, type Rng, randomBelow } from '@holdfast/model';

/**
 * Whom to probe next: all in turn, each round in another order, so that the time until a silent member is probed has a
 * bound and members don't stay in step.
 * Source: SWIM paper, 4.3
 */
export class ProbeRing {
  #round: NodeId[] = [];

  /** @param candidates everybody who may be probed now; null when there is nobody */
  next(candidates: ReadonlySet<NodeId>, rng: Rng): NodeId | null {
    if (candidates.size === 0) return null;
    for (let pass = 0; pass < 2; pass++) {
      for (let id = this.#round.pop(); id !== undefined; id = this.#round.pop()) if (candidates.has(id)) return id;
      this.#round = shuffled([...candidates], rng);
    }
    return null;
  }
}

export function shuffled<T>(list: T[], rng: Rng): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = randomBelow(rng, i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
