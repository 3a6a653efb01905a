/** A shell may send one Ctrl-C twice: to the process and, through its parent, again. */
const repeatMs = 800;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C and its kin: the first asks for a clean stop, a later one for haste. */
export class StopSignal {
  raised = false;
  #firstMs = 0;
  #onAgain: () => void = () => undefined;
  readonly #listener = () => {
    if (!this.raised) {
      this.raised = true;
      this.#firstMs = performance.now();
    } else if (performance.now() - this.#firstMs > repeatMs) this.#onAgain();
  };

  listen(onAgain: () => void): void {
    this.#onAgain = onAgain;
    for (const signal of signals) process.on(signal, this.#listener);
  }

  close(): void {
    for (const signal of signals) process.off(signal, this.#listener);
  }
}
