/** A shell may send one Ctrl-C twice: to the process and, through its parent, again. */
const repeatMs = 800;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalHandlers {
  readonly first?: () => void;
  readonly again?: () => void;
}

/** Ctrl-C and its kin: the first asks for a clean stop, a later one for haste. */
export class StopSignal {
  raised = false;
  #firstMs = 0;
  #on: SignalHandlers = {};
  readonly #listener = () => {
    if (!this.raised) {
      this.raised = true;
      this.#firstMs = performance.now();
      this.#on.first?.();
    } else if (performance.now() - this.#firstMs > repeatMs) this.#on.again?.();
  };

  listen(on: SignalHandlers): void {
    this.#on = on;
    for (const signal of signals) process.on(signal, this.#listener);
  }

  close(): void {
    for (const signal of signals) process.off(signal, this.#listener);
  }
}
