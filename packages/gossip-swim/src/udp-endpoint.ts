import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { formatAddress, parseAddress } from '@holdfast/membership';
import { GossipError } from './errors.ts';
import { canonicalHost } from './ip-address.ts';
import { SeedNames } from './seed-names.ts';

export interface UdpHandlers {
  onDatagram(bytes: Uint8Array, source: string): void;
  /** The name of a seed leads to this address, as far as is known now. */
  onSeedFound(seed: string, address: string): void;
  /** A datagram couldn't be sent, a name wasn't found, or the socket complained. UDP may lose anything, so this is for counters only. */
  onError(error: Error): void;
}

/** One bound UDP socket. */
export class UdpEndpoint {
  readonly #socket: Socket;
  readonly #handlers: UdpHandlers;
  readonly #names: SeedNames;
  /** The port it is bound to. */
  readonly port: number;
  #open = true;

  private constructor(socket: Socket, seeds: readonly string[], handlers: UdpHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.port = socket.address().port;
    this.#names = new SeedNames(seeds, socket.address().family === 'IPv6' ? 6 : 4, {
      onSeedFound: (seed, address) => this.#open && handlers.onSeedFound(seed, address),
      onError: (error) => this.#open && handlers.onError(error),
    });
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      handlers.onDatagram(bytes, formatAddress(from.address, from.port));
    });
    socket.on('error', (error) => handlers.onError(error));
  }

  /**
   * @param port 0 takes a free one
   * @param seeds whose names may be sent to
   * @throws GossipError GOSSIP_PORT_IN_USE, GOSSIP_ADDRESS_UNAVAILABLE
   */
  static async bind(host: string, port: number, seeds: readonly string[], handlers: UdpHandlers): Promise<UdpEndpoint> {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address: host, port, exclusive: true }, () => {
          socket.removeListener('error', reject);
          resolve();
        });
      });
    } catch (error) {
      socket.close();
      const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const code = inUse ? 'GOSSIP_PORT_IN_USE' : 'GOSSIP_ADDRESS_UNAVAILABLE';
      throw new GossipError({ code, address: formatAddress(host, port) }, error);
    }
    return new UdpEndpoint(socket, seeds, handlers);
  }

  /** Sends or loses. The host may be the name of a seed; while nobody knows where that leads, the datagram is lost. */
  send(bytes: Uint8Array, to: string): void {
    const address = parseAddress(to);
    if (!this.#open || address === null) return;
    const { host, port } = address;
    const ip = isIP(host) !== 0 ? host : this.#names.find(host);
    if (ip === null) return;
    this.#socket.send(bytes, port, ip, (error) => {
      if (error !== null && this.#open) this.#handlers.onError(error);
    });
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return new Promise((resolve) => {
      this.#socket.close(resolve);
    });
  }
}

/**
 * The IP literal for a host, in its one spelling: acks are matched to members by the address they come from, so names can't be members.
 * @throws GossipError GOSSIP_ADDRESS_UNAVAILABLE
 */
export async function resolveHost(host: string, family: 4 | 6): Promise<string> {
  if (isIP(host) !== 0) return canonicalHost(host);
  try {
    return canonicalHost((await lookup(host, { family })).address);
  } catch (error) {
    throw new GossipError({ code: 'GOSSIP_ADDRESS_UNAVAILABLE', address: host }, error);
  }
}
