import type { VirtualProcess } from '../simulation/virtual-process.ts';

/** One end of a stream: its user is told anything while it lives, then `onEnd` once, in a turn of its own. */
export class StreamEnd<Events extends { onEnd(reason: string): void }> {
  readonly thread: VirtualProcess;
  events: Events | null = null;
  #isEnding = false;
  /** Its user has been told, or is gone. */
  isOver = false;

  constructor(thread: VirtualProcess) {
    this.thread = thread;
  }

  /** The events, while anything but the end may be told. */
  get live(): Events | null {
    return this.#isEnding || !this.thread.isAlive ? null : this.events;
  }

  get isGone(): boolean {
    return this.isOver || !this.thread.isAlive;
  }

  end(reason: string, delayMs = 0): void {
    if (this.#isEnding) return;
    if (delayMs > 0) {
      this.thread.receive(delayMs, 'stream breaks', () => this.end(reason));
      return;
    }
    this.#isEnding = true;
    this.thread.receive(0, 'stream ends', () => {
      this.isOver = true;
      this.events?.onEnd(reason);
      this.events = null;
    });
  }
}
