/** What happened, as a hash that every event changes, and as lines for a reader if they are wanted. */
export class Trace {
  readonly lines: string[] = [];
  readonly #isKept: boolean;
  readonly #names = new Map<string, number>();
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

  /** As `mixText`, for one of a few texts that come again and again. */
  mixName(name: string): void {
    let hash = this.#names.get(name);
    if (hash === undefined) {
      hash = 0x811c9dc5;
      for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
      this.#names.set(name, hash);
    }
    this.mix(hash);
  }

  /** `text` is called only if the lines are kept. */
  say(nowMs: number, text: () => string): void {
    if (this.#isKept) this.lines.push(`${nowMs.toFixed(1).padStart(9)} ${text()}`);
  }
}
