/** What happened, as a hash that every event changes, and as lines for a reader if they are wanted. */
export class Trace {
  readonly lines: string[] = [];
  readonly #isKept: boolean;
  #low = 0x811c9dc5 | 0;
  #high = 0x9e3779b9 | 0;

  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  /** Equal for equal histories. */
  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0');
  }

  mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15), 0x85ebca6b) ^ value;
  }

  mixText(text: string): void {
    for (let i = 0; i < text.length; i++) this.mix(text.charCodeAt(i));
  }

  /** `text` is called only if the lines are kept. */
  say(nowMs: number, text: () => string): void {
    if (this.#isKept) this.lines.push(`${nowMs.toFixed(1).padStart(9)} ${text()}`);
  }
}
