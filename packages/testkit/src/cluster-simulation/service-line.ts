import { type Rng, randomBelow, randomRatio } from '@holdfast/model';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';

/** How a service outside of the cluster is doing, as one that calls it now finds it. */
export interface ServiceState {
  /** Refuses at once. */
  readonly isDown: boolean;
  /** Can't be reached: nothing comes back. */
  readonly isCutOff: boolean;
  /** Answers nobody until then; what comes meanwhile is done then. */
  readonly frozenUntilMs: number;
  /** Calls that are lost on their way there. */
  readonly lossRatio: number;
  /** Answers that are lost: the call was done. */
  readonly replyLossRatio: number;
  readonly delayMsMax: number;
}

export interface ServiceCall<T> {
  readonly name: string;
  readonly state: () => ServiceState;
  /** What the service does, in one step. What it throws reaches the caller. */
  readonly act: () => T;
  /** @param isDone whether it may have been done all the same */
  readonly failure: (text: string) => Error;
}

const timeoutMsMin = 1_000;
const timeoutMsMax = 4_000;

/** Calls of one process to a service: late, lost on either way, done after the caller has given up or died. */
export class ServiceLine {
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly #thread: VirtualProcess;

  constructor(time: VirtualTime, rng: Rng, thread: VirtualProcess) {
    this.#time = time;
    this.#rng = rng;
    this.#thread = thread;
  }

  call<T>(call: ServiceCall<T>): Promise<T> {
    const { name, state, failure } = call;
    return new Promise((resolve, reject) => {
      const thread = this.#thread;
      if (!thread.isAlive) return;
      const timeoutMs = timeoutMsMin + randomBelow(this.#rng, timeoutMsMax - timeoutMsMin);
      const cancel = thread.setTimer(timeoutMs, () => reject(failure('took too long')));
      const reply = (settle: () => void): void => {
        thread.receive(this.#delayMs(state()), name, () => {
          cancel();
          settle();
        });
      };
      const { isDown, isCutOff, lossRatio } = state();
      if (isCutOff || this.#draws(lossRatio)) return;
      if (isDown) {
        reply(() => reject(failure('refused the connection')));
        return;
      }
      this.#time.schedule(this.#delayMs(state()), null, 'quiet', name, () =>
        this.#arrive(call, reply, resolve, reject),
      );
    });
  }

  #arrive<T>(
    call: ServiceCall<T>,
    reply: (settle: () => void) => void,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const { name, state, act, failure } = call;
    const { isDown, frozenUntilMs } = state();
    if (frozenUntilMs > this.#time.nowMs) {
      const waitMs = frozenUntilMs - this.#time.nowMs + randomRatio(this.#rng) * 5;
      this.#time.schedule(waitMs, null, 'quiet', name, () => this.#arrive(call, reply, resolve, reject));
      return;
    }
    if (isDown) {
      reply(() => reject(failure('closed the connection')));
      return;
    }
    let settle: () => void;
    try {
      const result = act();
      settle = () => resolve(result);
    } catch (error) {
      settle = () => reject(error);
    }
    const { isCutOff, replyLossRatio } = state();
    if (!isCutOff && !this.#draws(replyLossRatio)) reply(settle);
  }

  #delayMs({ delayMsMax }: ServiceState): number {
    return 0.1 + randomRatio(this.#rng) * delayMsMax;
  }

  #draws(ratio: number): boolean {
    return ratio > 0 && randomRatio(this.#rng) < ratio;
  }
}
