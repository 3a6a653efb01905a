import type { MemberChange } from '@holdfast/membership';

type Listener = (changes: readonly MemberChange[]) => void;

/** Hands changes to listeners, all in the same order, also when a listener causes the next change. */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>();
  readonly #pending: (readonly MemberChange[])[] = [];
  #isDelivering = false;

  add(listener: Listener): () => void {
    // Wrapped, so that a function added twice can be taken away once.
    const own: Listener = (changes) => listener(changes);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  publish(changes: readonly MemberChange[]): void {
    if (changes.length === 0) return;
    this.#pending.push(changes);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        for (const listener of [...this.#listeners]) listener(next);
      }
    } finally {
      this.#isDelivering = false;
    }
  }
}
