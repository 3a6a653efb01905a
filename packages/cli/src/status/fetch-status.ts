import type { StatusDocument } from '@holdfast/node';
import { AdminClient, AdminError } from '@holdfast/transport-grpc';
import { failed } from '../cli-error.ts';

/** The clients of a cluster's nodes, kept open between questions. */
export class ClusterClient {
  readonly addresses: readonly string[];
  readonly #clients: readonly AdminClient[];

  constructor(addresses: readonly string[], timeoutMs: number) {
    this.addresses = addresses;
    this.#clients = addresses.map((address) => new AdminClient(address, { timeoutMs }));
  }

  /** Asks all at once and takes the first answer: a dead or stopped node must not hold up the others. */
  async first<T>(ask: (client: AdminClient) => Promise<T>): Promise<T> {
    try {
      return await Promise.any(this.#clients.map(ask));
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      throw noAnswer(this.addresses, error.errors);
    }
  }

  async status(): Promise<StatusDocument> {
    const { schema, document } = await this.first((client) => client.status());
    if (schema !== 'holdfast/status/v1')
      throw failed('UNKNOWN_SCHEMA', `the node answers with schema ${schema}, which this version doesn't know`);
    return document as StatusDocument;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

function noAnswer(addresses: readonly string[], errors: readonly unknown[]): Error {
  const unexpected = errors.find((error) => !(error instanceof AdminError));
  if (unexpected !== undefined) throw unexpected;
  const reasons = errors.map((error) => (error as AdminError).message.replace(/\s*\n\s*/g, ' '));
  if (addresses.length === 1) return failed('NO_ANSWER', reasons[0]!, errors[0]);
  const shown = [...new Set(reasons)].slice(0, 3).join('; ');
  return failed('NO_ANSWER', `none of ${addresses.length} nodes answers: ${shown}`);
}
