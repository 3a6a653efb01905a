/** One Ctrl-C, or `timeout`, may arrive twice: sent to the whole group, and by the parent once more. */
const repeatMs = 800;
const allSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalHandlers {
  readonly first?: () => void;
  readonly again?: () => void;
}

/** Ctrl-C and its kin: the first asks for a clean stop, a later one for haste. */
export class StopSignal {
  raised = false;
  readonly #signals: readonly NodeJS.Signals[];
  #firstMs = 0;
  #on: SignalHandlers = {};

  /** @param signals that ask; others do as ever */
  constructor(signals: readonly NodeJS.Signals[] = allSignals) {
    this.#signals = signals;
  }

  /** As a signal does. */
  readonly raise = (): void => {
    if (!this.raised) {
      this.raised = true;
      this.#firstMs = performance.now();
      this.#on.first?.();
    } else if (performance.now() - this.#firstMs > repeatMs) this.#on.again?.();
  };

  /** As the first signal does. Behind one it does nothing: it asks for no haste. */
  readonly ask = (): void => {
    if (!this.raised) this.raise();
  };

  /** Again: with other handlers, in place of those. */
  listen(on: SignalHandlers): void {
    this.#on = on;
    this.close();
    for (const signal of this.#signals) process.on(signal, this.raise);
  }

  close(): void {
    for (const signal of this.#signals) process.off(signal, this.raise);
  }
}
