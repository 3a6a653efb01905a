import { isIP } from 'node:net';
import { parseAddress } from '@holdfast/membership';
import type { Logger } from '@holdfast/model';
import { isLoopback } from './ip-address.ts';

/**
 * Warns once when a node tells others a loopback address while a seed is elsewhere: there they would find themselves. A
 * host's own name often leads to loopback on itself (127.0.1.1 in /etc/hosts).
 */
export class LoopbackWatch {
  readonly #logger: Logger;
  readonly #configured: string;
  readonly #told: string;
  #isOver: boolean;

  /** @param configured the host as configured @param told the address that others are told */
  constructor(configured: string, told: string, logger: Logger) {
    this.#configured = configured;
    this.#told = told;
    this.#logger = logger;
    this.#isOver = !isLoopback(parseAddress(told)!.host);
  }

  /** @param address of a seed; as a name it says nothing yet */
  look(address: string): void {
    const host = parseAddress(address)?.host ?? null;
    if (this.#isOver || host === null || isIP(host) === 0 || isLoopback(host)) return;
    this.#isOver = true;
    this.#logger.warn(
      'gossip tells others a loopback address: nodes on other machines will not find this one; give an address that they reach, or mend what the name leads to here',
      { configured: this.#configured, told: this.#told, seed: address },
    );
  }
}
