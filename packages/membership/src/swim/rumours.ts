import type { NodeId } from '@holdfast/model';
import type { News } from './packet.ts';
import { newsBytes } from './packet-codec.ts';

interface Rumour {
  readonly news: News;
  readonly bytes: number;
  sentCount: number;
}

/**
 * News that is still to be told, the least told first. One entry per member, since its latest news is all that matters;
 * a full queue drops what has been told most.
 */
export class RumourQueue {
  readonly #byId = new Map<NodeId, Rumour>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#byId.size;
  }

  /** @returns false when another rumour had to go */
  put(news: News): boolean {
    const { id } = news.claim;
    // Taken out first, so that it stands last in the map: among equals the older ones go first.
    this.#byId.delete(id);
    const fits = this.#byId.size < this.#countMax;
    if (!fits) this.#byId.delete(this.#mostTold());
    this.#byId.set(id, { news, bytes: newsBytes(news), sentCount: 0 });
    return fits;
  }

  has(id: NodeId): boolean {
    return this.#byId.has(id);
  }

  /**
   * As many as fit, counted as sent; those told `sentMax` times are dropped.
   * @param except a member that needs no news of itself
   */
  take(bytesMax: number, sentMax: number, except: ReadonlySet<NodeId>): News[] {
    if (this.#byId.size === 0) return [];
    const order = [...this.#byId.values()].sort((a, b) => a.sentCount - b.sentCount);
    const taken: News[] = [];
    for (const rumour of order) {
      const { id } = rumour.news.claim;
      if (rumour.bytes > bytesMax || except.has(id)) continue;
      bytesMax -= rumour.bytes;
      taken.push(rumour.news);
      if (++rumour.sentCount >= sentMax) this.#byId.delete(id);
    }
    return taken;
  }

  #mostTold(): NodeId {
    let most: [NodeId, Rumour] | null = null;
    for (const entry of this.#byId) if (most === null || entry[1].sentCount > most[1].sentCount) most = entry;
    return most![0];
  }
}
