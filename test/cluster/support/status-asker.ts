import type { StatusDocument } from '@holdfast/node';
import { AdminClient, type TlsFiles } from '@holdfast/transport-grpc';
import type { NodeProcess } from './node-process.ts';

/** Asks running nodes for the status, over connections that it keeps. */
export class StatusAsker {
  readonly #nodes: readonly NodeProcess[];
  readonly #addresses: readonly string[];
  readonly #tls: TlsFiles | null;
  readonly #clients = new Map<string, AdminClient>();

  /**
   * @param addresses of the nodes' control services, in their order
   * @param tls an operator's certificate, where the nodes want one
   */
  constructor(nodes: readonly NodeProcess[], addresses: readonly string[], tls: TlsFiles | null = null) {
    this.#tls = tls;
    this.#nodes = nodes;
    this.#addresses = addresses;
  }

  /** The status by the first node that answers, of these alone where there are some; null when none does. */
  async status(timeoutMs = 1_500, by: readonly string[] = []): Promise<StatusDocument | null> {
    for (const [i, address] of this.#addresses.entries()) {
      const { id, running } = this.#nodes[i]!;
      if (!running || (by.length > 0 && !by.includes(id))) continue;
      let client = this.#clients.get(address);
      if (client === undefined) {
        client = new AdminClient(address, { timeoutMs, tls: this.#tls });
        this.#clients.set(address, client);
      }
      try {
        const answer = (await client.status()) as unknown as { document?: StatusDocument };
        return answer.document ?? (answer as unknown as StatusDocument);
      } catch {
        this.#clients.delete(address);
        client.close();
      }
    }
    return null;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
