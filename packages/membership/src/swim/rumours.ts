import type { NodeId } from '@holdfast/model';
import { isReachable } from '../member.ts';
import type { News } from './packet.ts';
import { newsBytes } from './packet-codec.ts';

/** By so many bytes the age of a tombstone may become longer while it waits: it is a varint of seconds, up to a week. */
const ageBytesMore = 2;

interface Rumour {
  readonly news: News;
  readonly putMs: number;
  /** At most, whenever it is told. */
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
  put(news: News, nowMs: number): boolean {
    const { id } = news.claim;
    // Taken out first, so that it stands last in the map: among equals the older ones go first.
    this.#byId.delete(id);
    const fits = this.#byId.size < this.#countMax;
    if (!fits) this.#byId.delete(this.#mostTold());
    const bytes = newsBytes(news) + (isReachable(news.claim) ? 0 : ageBytesMore);
    this.#byId.set(id, { news, putMs: nowMs, bytes, sentCount: 0 });
    return fits;
  }

  has(id: NodeId): boolean {
    return this.#byId.has(id);
  }

  /**
   * As many as fit, counted as sent; those told `sentMax` times are dropped.
   * @param except a member that needs no news of itself
   */
  take(bytesMax: number, sentMax: number, except: ReadonlySet<NodeId>, nowMs: number): News[] {
    if (this.#byId.size === 0) return [];
    const order = [...this.#byId.values()].sort((a, b) => a.sentCount - b.sentCount);
    const taken: News[] = [];
    for (const rumour of order) {
      const { id } = rumour.news.claim;
      if (rumour.bytes > bytesMax || except.has(id)) continue;
      bytesMax -= rumour.bytes;
      taken.push(aged(rumour, nowMs));
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

/** A tombstone has grown older while it waited: told as it was, it would be remembered anew by those who forgot it. */
function aged({ news, putMs }: Rumour, nowMs: number): News {
  return isReachable(news.claim) ? news : { ...news, ageMs: news.ageMs + nowMs - putMs };
}
