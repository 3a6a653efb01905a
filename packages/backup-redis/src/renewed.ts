import { errorText, type Logger } from '@holdfast/model';

/** A value, or how to have the present one. */
export type Renewable<T extends string | object> = T | (() => T);

/**
 * A secret or certificates for connections, as they are when one is opened: whoever changes them restarts no node. Where
 * they can't be used (a file is away, or a key is not yet that of the new certificate), the last good ones serve on.
 */
export class Renewed<T extends string | object> {
  readonly #what: string;
  readonly #read: () => T;
  readonly #check: (value: T) => void;
  readonly #logger: Logger;
  #good: T;
  /** Why they couldn't be used the last time, which is told once. */
  #told: string | null = null;

  /** @param check throws at what can't be used @throws what `given` and `check` throw, this first time */
  constructor(what: string, given: Renewable<T>, logger: Logger, check: (value: T) => void = () => undefined) {
    this.#what = what;
    this.#read = typeof given === 'function' ? (given as () => T) : () => given;
    this.#check = check;
    this.#logger = logger;
    this.#good = this.#read();
    check(this.#good);
  }

  /** For a connection that is opened now. */
  get now(): T {
    try {
      const value = this.#read();
      this.#check(value);
      this.#good = value;
      this.#told = null;
    } catch (error) {
      const problem = errorText(error);
      if (problem !== this.#told) {
        this.#logger.warn('Redis: what connections are opened with can not be read again; the last one is used on', {
          what: this.#what,
          problem,
        });
      }
      this.#told = problem;
    }
    return this.#good;
  }
}
