import { promises } from 'node:dns';
import { type HostAnswer, HostNames, type NameTimers } from '@holdfast/engine';
import { formatAddress, parseAddress } from '@holdfast/membership';
import { canonicalHost } from './ip-address.ts';

export interface SeedNameHandlers {
  /** The name of a seed leads to this address, as far as is known now. */
  onSeedFound(seed: string, address: string): void;
  onError(error: Error): void;
}

interface Seed {
  /** host:port as configured: one name may stand for several. */
  readonly seeds: string[];
  isAwaited: boolean;
}

/**
 * The IP addresses of seeds that are given by name. Nobody waits for them: a datagram goes to the last answer, or nowhere.
 * Other names are not looked up at all: they would come from datagrams.
 */
export class SeedNames {
  readonly #byHost = new Map<string, Seed>();
  readonly #names: HostNames;
  readonly #handlers: SeedNameHandlers;

  constructor(seeds: readonly string[], family: 4 | 6, handlers: SeedNameHandlers, timers: NameTimers = timersHere) {
    this.#handlers = handlers;
    this.#names = new HostNames(
      async (host) => [canonicalHost((await promises.lookup(host, { family })).address)],
      timers,
    );
    for (const seed of seeds) {
      const { host } = parseAddress(seed)!;
      const known = this.#byHost.get(host);
      if (known === undefined) this.#byHost.set(host, { seeds: [seed], isAwaited: false });
      else known.seeds.push(seed);
    }
  }

  /** The last answer, if there is one; has the name looked up again, so that a seed that moved is found. */
  find(host: string): string | null {
    const seed = this.#byHost.get(host);
    if (seed === undefined) return null;
    if (!seed.isAwaited) {
      seed.isAwaited = true;
      this.#names.onAnswer(host, (answer) => this.#onAnswer(seed, answer));
    }
    this.#names.seek(host);
    return this.#names.addressesOf(host)[0] ?? null;
  }

  #onAnswer(seed: Seed, { addresses, problem }: HostAnswer): void {
    seed.isAwaited = false;
    if (problem !== null) this.#handlers.onError(new Error(problem));
    else
      for (const name of seed.seeds)
        this.#handlers.onSeedFound(name, formatAddress(addresses[0]!, parseAddress(name)!.port));
  }
}

/** No process waits for them. */
const timersHere: NameTimers = {
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
