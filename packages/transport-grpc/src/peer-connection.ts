import { type Client, connectivityState } from '@grpc/grpc-js';
import { connect } from './channel.ts';
import type { TransportLimits } from './limits.ts';
import type { TlsFiles } from './tls.ts';

/**
 * The connection to one peer that all its lanes share. An attempt that gets no answer is given up for a new one: the
 * kernel repeats the first packet of a connection ever more rarely, so that after a cut in the network the old attempt
 * would go on waiting for seconds when the peer is long there again.
 */
export class PeerConnection {
  readonly address: string;
  readonly #open: () => Client;
  #client: Client;

  /** @param node with TLS, whom the server's certificate must name */
  constructor(address: string, limits: TransportLimits, tls: TlsFiles | null, node: string) {
    this.address = address;
    this.#open = () => connect(address, limits, tls, node);
    this.#client = this.#open();
  }

  get client(): Client {
    return this.#client;
  }

  /** A stream on this client was not accepted in time: unless there is a connection, another is tried from now on. */
  renew(client: Client): void {
    if (client !== this.#client) return;
    if (client.getChannel().getConnectivityState(false) === connectivityState.READY) return;
    this.#replace();
  }

  /** Another node answers there, which may have got the address of a name: it is looked up anew only for a new connection. */
  refused(client: Client): void {
    if (client === this.#client) this.#replace();
  }

  #replace(): void {
    const client = this.#client;
    this.#client = this.#open();
    client.close();
  }

  close(): void {
    this.#client.close();
  }
}
