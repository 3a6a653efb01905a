import { type ActDocument, actSchemaName, type StatusDocument, type UserDocument } from '@holdfast/node';
import { AdminClient, AdminError, type TlsFiles } from '@holdfast/transport-grpc';
import { CliError, failed } from '../cli-error.ts';
import { clientAddresses } from '../client-addresses.ts';
import { clientTls } from '../client-tls.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';

/** The clients of a cluster's nodes, kept open between questions. */
export class ClusterClient {
  readonly addresses: readonly string[];
  readonly #clients: readonly AdminClient[];

  /** @param tls the operator's certificate; null: the cluster has none */
  constructor(addresses: readonly string[], timeoutMs: number, tls: TlsFiles | null) {
    this.addresses = addresses;
    this.#clients = addresses.map((address) => new AdminClient(address, { timeoutMs, tls }));
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

  /** The same while one waits for something that goes on by itself; null: nobody answers now. */
  async statusIfAnswered(): Promise<StatusDocument | null> {
    try {
      return await this.status();
    } catch (error) {
      if (error instanceof CliError && error.code === 'NO_ANSWER') return null;
      throw error;
    }
  }

  /** Asks for an act; any node passes it on to the leader. Refusals are errors. @throws CliError */
  async act(request: unknown): Promise<ActDocument> {
    const { schema, document } = await this.#one((client) => client.act(request));
    if (schema !== actSchemaName) throw failed('UNKNOWN_SCHEMA', `the node answers with unknown schema ${schema}`);
    const answer = document as ActDocument;
    if (answer.code !== 'OK') throw failed(answer.code, answer.text ?? answer.code);
    return answer;
  }

  /** The first address that can be reached: an act is asked for once. */
  async #one<T>(ask: (client: AdminClient) => Promise<T>): Promise<T> {
    const errors: unknown[] = [];
    for (const client of this.#clients) {
      try {
        return await ask(client);
      } catch (error) {
        if (!(error instanceof AdminError) || error.code !== 'UNAVAILABLE') {
          if (!(error instanceof AdminError)) throw error;
          // It may have been asked for in time, and go on.
          if (error.code === 'DEADLINE')
            throw new CliError(exitCodes.timedOut, error.code, error.message, { cause: error });
          throw failed(error.code, error.message, error);
        }
        errors.push(error);
      }
    }
    throw noAnswer(this.addresses, errors);
  }

  /** Who holds a user's key, as the first node to answer says; null: nobody. @throws CliError */
  async holderOf(key: Uint8Array): Promise<{ readonly node: string; readonly shard: number } | null> {
    const answer = await this.first(async (client) => {
      try {
        return await client.getUser(key);
      } catch (error) {
        if (error instanceof AdminError && error.code === 'NOT_FOUND') return null;
        throw error;
      }
    });
    return answer === null ? null : (answer.document as UserDocument).holder;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** Works with the cluster that the options name, and closes what was opened for it. */
export async function withCluster<T>(
  options: ClientOptions,
  io: Io,
  work: (client: ClusterClient) => Promise<T>,
): Promise<T> {
  const client = new ClusterClient(clientAddresses(options, io), options.timeout, await clientTls(options, io));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Timed out where each of them had its time: one that is refused at once won't answer in a longer one either. */
export function noAnswer(addresses: readonly string[], errors: readonly unknown[]): CliError {
  const unexpected = errors.find((error) => !(error instanceof AdminError));
  if (unexpected !== undefined) throw unexpected;
  const known = errors as readonly AdminError[];
  // Of those that failed, one that was reached says more than one that was not.
  const cause = known.find(({ code }) => code === 'FAILED') ?? known[0];
  const exit = known.every(({ code }) => code === 'DEADLINE') ? exitCodes.timedOut : exitCodes.failed;
  const reasons = known.map(({ message }) => message.replace(/\s*\n\s*/g, ' '));
  const shown = [...new Set(reasons)].slice(0, 3).join('; ');
  const text = addresses.length === 1 ? reasons[0]! : `none of ${addresses.length} nodes answers: ${shown}`;
  return new CliError(exit, 'NO_ANSWER', text, { cause });
}
