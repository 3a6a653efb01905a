/** Encoded messages that wait for a connection. Bounded by count and bytes: what is too much is taken from the oldest. */
export class MessageQueue {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #messages: Uint8Array[] = [];
  #bytes = 0;
  /** Messages dropped so far. */
  droppedCount = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.#bytes += message.length;
    // The newest stays even if it alone is over the bound in bytes: else a large snapshot could never be sent.
    while (this.#messages.length > 1 && (this.#messages.length > this.#countMax || this.#bytes > this.#bytesMax)) {
      this.#bytes -= this.#messages.shift()!.length;
      this.droppedCount++;
    }
  }

  /** Takes the oldest messages: as many as fit into `bytesMax`, but at least one, if there is one. */
  take(bytesMax: number): Uint8Array[] {
    let count = 0;
    let bytes = 0;
    for (const message of this.#messages) {
      if (count > 0 && bytes + message.length > bytesMax) break;
      count++;
      bytes += message.length;
    }
    this.#bytes -= bytes;
    return this.#messages.splice(0, count);
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}
