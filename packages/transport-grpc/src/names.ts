import { promises } from 'node:dns';

/** Between the begins of two lookups of one name. */
const lookupIntervalMs = 1_000;
/** Names that are remembered; the one that came first gives way, unless it is being looked up. */
const namesMax = 1_024;

export interface NameTimers {
  monotonicMs(): number;
  setTimer(delayMs: number, fn: () => void): void;
}

interface Name {
  /** The last good answer; empty: there was none yet. */
  addresses: readonly string[];
  beganMs: number;
  /** The lookup under way, or the wait until the next one may begin. */
  sought: 'looking' | 'waiting' | null;
  readonly listeners: Set<(answer: NameAnswer) => void>;
}

/** A lookup's end. When it failed, the last good answer goes on serving. */
export interface NameAnswer {
  readonly addresses: readonly string[];
  /** Why there is no address; null when there is one. */
  readonly problem: string | null;
}

/**
 * The IP addresses of host names, shared by all connections of a thread: at most one lookup per name is under way, and a
 * name is looked up at most once a second, however many connections to it fail.
 */
export class Names {
  readonly #lookUp: (host: string) => Promise<readonly string[]>;
  readonly #timers: NameTimers;
  readonly #byHost = new Map<string, Name>();

  constructor(lookUp: (host: string) => Promise<readonly string[]> = lookUpHere, timers: NameTimers = timersHere) {
    this.#lookUp = lookUp;
    this.#timers = timers;
  }

  /** The last good answer; empty when there was none yet. */
  addressesOf(host: string): readonly string[] {
    return this.#byHost.get(host)?.addresses ?? [];
  }

  /** Has the name looked up anew, now or as soon as the last lookup is a second ago. */
  seek(host: string): void {
    const name = this.#nameOf(host);
    if (name.sought !== null) return;
    const waitMs = name.beganMs + lookupIntervalMs - this.#timers.monotonicMs();
    name.sought = 'waiting';
    if (waitMs <= 0) void this.#look(host, name);
    else this.#timers.setTimer(waitMs, () => void this.#look(host, name));
  }

  /** Calls back when the next lookup of the name has ended, once. @returns how to take that back */
  onAnswer(host: string, listener: (answer: NameAnswer) => void): () => void {
    const { listeners } = this.#nameOf(host);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  async #look(host: string, name: Name): Promise<void> {
    name.sought = 'looking';
    name.beganMs = this.#timers.monotonicMs();
    let problem = 'no address';
    try {
      const addresses = await this.#lookUp(host);
      if (addresses.length > 0) name.addresses = addresses;
    } catch (error) {
      problem = (error as NodeJS.ErrnoException).code ?? String(error);
    }
    name.sought = null;
    const { addresses, listeners } = name;
    const answer = { addresses, problem: addresses.length > 0 ? null : `${host} can't be looked up: ${problem}` };
    const told = [...listeners];
    listeners.clear();
    for (const listener of told) listener(answer);
  }

  #nameOf(host: string): Name {
    const known = this.#byHost.get(host);
    if (known !== undefined) return known;
    const name: Name = { addresses: [], beganMs: Number.NEGATIVE_INFINITY, sought: null, listeners: new Set() };
    this.#byHost.set(host, name);
    if (this.#byHost.size > namesMax) this.#forgetOne();
    return name;
  }

  #forgetOne(): void {
    for (const [host, { sought, listeners }] of this.#byHost) {
      if (sought !== null || listeners.size > 0) continue;
      this.#byHost.delete(host);
      return;
    }
  }
}

/** No process waits for them. */
const timersHere: NameTimers = {
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, fn) => void setTimeout(fn, delayMs).unref(),
};

/** All families, in the order that the system prefers. */
async function lookUpHere(host: string): Promise<readonly string[]> {
  const found = await promises.lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Those of this thread. */
export const sharedNames = new Names();
