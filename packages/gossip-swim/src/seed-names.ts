import { promises } from 'node:dns';
import { formatAddress, parseAddress } from '@holdfast/membership';
import { canonicalHost } from './ip-address.ts';

/** Between the begins of two lookups of one name. */
const lookupIntervalMs = 1_000;

export interface SeedNameHandlers {
  /** The name of a seed leads to this address, as far as is known now. */
  onSeedFound(seed: string, address: string): void;
  onError(error: Error): void;
}

interface Name {
  /** host:port as configured. */
  readonly seeds: string[];
  /** The last good answer. */
  ip: string | null;
  isSought: boolean;
  nextMs: number;
}

/**
 * The IP addresses of seeds that are given by name. Nobody waits for them: a datagram goes to the last answer, or nowhere.
 * At most one lookup per name is under way, and one a second begins. Other names are not looked up at all: they would come
 * from datagrams.
 */
export class SeedNames {
  readonly #byHost = new Map<string, Name>();
  readonly #family: 4 | 6;
  readonly #handlers: SeedNameHandlers;
  readonly #monotonicMs: () => number;

  constructor(
    seeds: readonly string[],
    family: 4 | 6,
    handlers: SeedNameHandlers,
    monotonicMs = () => performance.now(),
  ) {
    this.#monotonicMs = monotonicMs;
    this.#family = family;
    this.#handlers = handlers;
    for (const seed of seeds) {
      const { host } = parseAddress(seed)!;
      const name = this.#byHost.get(host);
      if (name === undefined) this.#byHost.set(host, { seeds: [seed], ip: null, isSought: false, nextMs: 0 });
      else name.seeds.push(seed);
    }
  }

  /** The last answer, if there is one; has the name looked up again, so that a seed that moved is found. */
  find(host: string): string | null {
    const name = this.#byHost.get(host);
    if (name === undefined) return null;
    if (!name.isSought && this.#monotonicMs() >= name.nextMs) void this.#lookUp(host, name);
    return name.ip;
  }

  async #lookUp(host: string, name: Name): Promise<void> {
    name.isSought = true;
    name.nextMs = this.#monotonicMs() + lookupIntervalMs;
    try {
      const ip = canonicalHost((await promises.lookup(host, { family: this.#family })).address);
      name.ip = ip;
      for (const seed of name.seeds) this.#handlers.onSeedFound(seed, formatAddress(ip, parseAddress(seed)!.port));
    } catch (error) {
      this.#handlers.onError(error as Error);
    } finally {
      name.isSought = false;
    }
  }
}
