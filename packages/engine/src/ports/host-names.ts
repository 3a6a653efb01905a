import type { Timers } from './timers.ts';

/** Between the begins of two lookups of one name. */
const lookupIntervalMs = 1_000;
/** Names that are remembered; the one that came first gives way, unless it is being looked up. */
const namesMax = 1_024;

export type NameTimers = Pick<Timers, 'monotonicMs' | 'setTimer'>;

/** The IP addresses of a host, in the order in which they are to be tried; rejects when it has none. */
export type LookUpHost = (host: string) => Promise<readonly string[]>;

interface Name {
  /** The last good answer; empty: there was none yet. */
  addresses: readonly string[];
  beganMs: number;
  /** The lookup under way, or the wait until the next one may begin. */
  sought: 'looking' | 'waiting' | null;
  readonly listeners: Set<(answer: HostAnswer) => void>;
}

/** A lookup's end. */
export interface HostAnswer {
  /** When it failed, those of the last good answer. */
  readonly addresses: readonly string[];
  /** Why it failed; null when it didn't. */
  readonly problem: string | null;
}

/**
 * The IP addresses of host names, for adapters that reach peers by name: at most one lookup per name is under way, and a
 * name is looked up at most once a second, however often it is asked for. The last good answer serves until there is a newer.
 */
export class HostNames {
  readonly #lookUp: LookUpHost;
  readonly #timers: NameTimers;
  readonly #byHost = new Map<string, Name>();

  constructor(lookUp: LookUpHost, timers: NameTimers) {
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
  onAnswer(host: string, listener: (answer: HostAnswer) => void): () => void {
    const { listeners } = this.#nameOf(host);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  async #look(host: string, name: Name): Promise<void> {
    name.sought = 'looking';
    name.beganMs = this.#timers.monotonicMs();
    let why: string | null = null;
    try {
      const addresses = await this.#lookUp(host);
      if (addresses.length > 0) name.addresses = addresses;
      else why = 'no address';
    } catch (error) {
      why = (error as { code?: string }).code ?? String(error);
    }
    name.sought = null;
    const { addresses, listeners } = name;
    const answer = { addresses, problem: why === null ? null : `${host} can't be looked up: ${why}` };
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
