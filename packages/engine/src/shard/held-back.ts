import { errorText } from '@holdfast/model';
import type { FromShard, HeldBack } from '../shard-messages.ts';

/** Calls fail for moments now and then, as when a partition's leader in the log moves. */
export const heldBackAfterMs = 15_000;
/** While it lasts, tries and error are told again; what begins or ends is told at once. */
export const tellAgainMs = 10_000;
/** An error may list all brokers. */
const errorLengthMax = 300;

/** What one loop has to get done at the log before it can go on: one thing at a time. */
export class Attempt {
  #now: { readonly what: Pick<HeldBack, 'what' | 'topic'>; readonly begunMs: number } | null = null;
  #tries = 0;
  #error: string | null = null;

  /** The first try begins, or another one of the same. */
  begin(what: Pick<HeldBack, 'what' | 'topic'>, nowMs: number): void {
    this.#now ??= { what, begunMs: nowMs };
  }

  /** Void after `end`: a try that was under way then is none of the next thing's. */
  failed(error: unknown): void {
    if (this.#now === null) return;
    this.#tries++;
    const text = errorText(error);
    this.#error = text.length > errorLengthMax ? `${text.slice(0, errorLengthMax)}…` : text;
  }

  /** It is done, or nothing is left of it. */
  end(): void {
    this.#now = null;
    this.#tries = 0;
    this.#error = null;
  }

  /** Null: nothing is under way, or not for long. */
  look(nowMs: number): HeldBack | null {
    if (this.#now === null || nowMs - this.#now.begunMs < heldBackAfterMs) return null;
    const { what, begunMs } = this.#now;
    return { ...what, begunMs, tries: this.#tries, error: this.#error };
  }
}

/** Tells the control thread what the log doesn't take: offsets wait for it, and nobody would know. */
export class HeldBackTeller {
  readonly #send: (message: FromShard) => void;
  readonly #attempts: Attempt[] = [];
  #toldCount = 0;
  #toldMs = 0;

  constructor(send: (message: FromShard) => void) {
    this.#send = send;
  }

  newAttempt(): Attempt {
    const attempt = new Attempt();
    this.#attempts.push(attempt);
    return attempt;
  }

  tell(nowMs: number): void {
    const list = this.#attempts.map((attempt) => attempt.look(nowMs)).filter((held) => held !== null);
    const isSame = list.length === this.#toldCount;
    if (isSame && (list.length === 0 || nowMs - this.#toldMs < tellAgainMs)) return;
    this.#toldCount = list.length;
    this.#toldMs = nowMs;
    this.#send({ kind: 'heldBack', list });
  }
}
