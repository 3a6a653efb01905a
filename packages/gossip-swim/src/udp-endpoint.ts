import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { formatAddress, parseAddress } from '@holdfast/membership';
import { GossipError } from './errors.ts';

export interface UdpHandlers {
  onDatagram(bytes: Uint8Array, source: string): void;
  /** A datagram couldn't be sent, or the socket complained. UDP may lose anything, so this is for counters only. */
  onError(error: Error): void;
}

/** One bound UDP socket. */
export class UdpEndpoint {
  readonly #socket: Socket;
  readonly #handlers: UdpHandlers;
  /** The port it is bound to. */
  readonly port: number;
  #open = true;

  private constructor(socket: Socket, handlers: UdpHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.port = socket.address().port;
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      handlers.onDatagram(bytes, formatAddress(from.address, from.port));
    });
    socket.on('error', (error) => handlers.onError(error));
  }

  /**
   * @param port 0 takes a free one
   * @throws GossipError GOSSIP_PORT_IN_USE, GOSSIP_ADDRESS_UNAVAILABLE
   */
  static async bind(host: string, port: number, handlers: UdpHandlers): Promise<UdpEndpoint> {
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
    return new UdpEndpoint(socket, handlers);
  }

  /** Sends or loses. The host may be a name (a seed's): it is resolved each time, so a moved seed is found. */
  send(bytes: Uint8Array, to: string): void {
    const address = parseAddress(to);
    if (!this.#open || address === null) return;
    this.#socket.send(bytes, address.port, address.host, (error) => {
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
 * The IP literal for a host: acks are matched to members by the address they come from, so names can't be members.
 * @throws GossipError GOSSIP_ADDRESS_UNAVAILABLE
 */
export async function resolveHost(host: string, family: 4 | 6): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host, { family })).address;
  } catch (error) {
    throw new GossipError({ code: 'GOSSIP_ADDRESS_UNAVAILABLE', address: host }, error);
  }
}
