import type { ClusterWorld } from './cluster-world.ts';

/** The alert has been read by then, and what to do. */
const readsWithinMs = 10_000;

/**
 * Two masters took writes, the log followed the later one, and the one that it had given up is the one that stays: work
 * waits, since nobody can tell what that one lacks (PROTOCOL.md 5.8). An operator sees `FORMER_GENERATION` and empties it.
 */
export class StoreOperator {
  readonly #world: ClusterWorld;
  #sinceMs: number | null = null;
  /** Stores that were emptied. */
  count = 0;

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  look(): void {
    const { leader, store, time } = this.#world;
    const isGivenUp = leader?.control?.table.isFormerGeneration(store.generationId) === true;
    if (!isGivenUp) {
      this.#sinceMs = null;
      return;
    }
    this.#sinceMs ??= time.nowMs;
    if (time.nowMs - this.#sinceMs < readsWithinMs) return;
    this.#sinceMs = null;
    this.count++;
    const life = store.wipe();
    this.#world.say(() => `an operator empties the store: ${life}`);
  }
}
