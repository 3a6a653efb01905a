import { isIP } from 'node:net';
import { experimental, Metadata, status } from '@grpc/grpc-js';
import type { HostAnswer } from '@holdfast/engine';
import { sharedNames } from './shared-names.ts';

/** Marks addresses whose host is looked up by `HostNames`. */
const scheme = 'holdfast';

interface NamedAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * The target by which gRPC connects to `host:port`. A name is looked up by the resolver below, not by gRPC's own: that
 * one keeps an answer for 30 s, longer than a session lives, and has a lookup of its own for each connection.
 */
export function targetOf(address: string): string {
  return namedAddress(address) === null ? address : `${scheme}:${address}`;
}

/**
 * Calls `onLate` when a connection to the address has not been made use of within `timeoutMs` of the moment at which it
 * could be tried: looking up a name may take longer than that, and ends by itself.
 * @returns how to take that back
 */
export function startConnectTimer(address: string, timeoutMs: number, onLate: () => void): () => void {
  const host = namedAddress(address)?.host ?? null;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(onLate, timeoutMs);
  };
  let stopListening = (): void => {};
  if (host === null || sharedNames.addressesOf(host).length > 0) start();
  else stopListening = sharedNames.onAnswer(host, start);
  return () => {
    stopListening();
    clearTimeout(timer);
  };
}

/** Null when the host is an IP address, or the text no address at all. */
function namedAddress(address: string): NamedAddress | null {
  const parts = /^([^:[\]]+):(\d{1,5})$/.exec(address);
  if (parts === null || isIP(parts[1]!) !== 0) return null;
  return { host: parts[1]!, port: Number(parts[2]) };
}

/**
 * gRPC asks it when a channel begins to connect, and whenever a connection has failed. Each time the name is looked up
 * anew, and gRPC leaves addresses that are none any more; the first time the last good answer serves meanwhile.
 */
class NameResolver implements experimental.Resolver {
  readonly #address: NamedAddress;
  readonly #listener: experimental.ResolverListener;
  #isAsked = false;
  #known: NodeJS.Immediate | undefined;
  #stopListening: (() => void) | null = null;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener) {
    this.#address = namedAddress(target.path)!;
    this.#listener = listener;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path;
  }

  updateResolution(): void {
    const { host } = this.#address;
    if (!this.#isAsked) {
      this.#isAsked = true;
      const addresses = sharedNames.addressesOf(host);
      if (addresses.length > 0) this.#known = setImmediate(() => this.#tell({ addresses, problem: null }));
    }
    this.#stopListening ??= sharedNames.onAnswer(host, (answer) => {
      this.#stopListening = null;
      this.#tell(answer);
    });
    sharedNames.seek(host);
  }

  destroy(): void {
    this.#isAsked = false;
    clearImmediate(this.#known);
    this.#stopListening?.();
    this.#stopListening = null;
  }

  #tell({ addresses, problem }: HostAnswer): void {
    const { port } = this.#address;
    const endpoints: experimental.Endpoint[] = addresses.map((host) => ({ addresses: [{ host, port }] }));
    const outcome: experimental.StatusOr<experimental.Endpoint[]> =
      problem === null || addresses.length > 0
        ? experimental.statusOrFromValue(endpoints)
        : experimental.statusOrFromError({ code: status.UNAVAILABLE, details: problem, metadata: new Metadata() });
    this.#listener(outcome, {}, null, '');
  }
}

experimental.registerResolver(scheme, NameResolver);
