/** What happened, in order, and promises for what is to happen: tests wait for events, not for time. */
export class EventLog<T> {
  readonly events: T[] = [];
  #waiting: { readonly test: () => boolean; readonly resolve: () => void }[] = [];

  add(event: T): void {
    this.events.push(event);
    this.#waiting = this.#waiting.filter(({ test, resolve }) => {
      if (!test()) return true;
      resolve();
      return false;
    });
  }

  /** Resolves once at least this many events have happened. */
  count(wanted: number): Promise<void> {
    return this.#until(() => this.events.length >= wanted);
  }

  /** The first event that fits, now or later. */
  async find(fits: (event: T) => boolean): Promise<T> {
    await this.#until(() => this.events.some(fits));
    return this.events.find(fits)!;
  }

  #until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ test, resolve }));
  }
}
