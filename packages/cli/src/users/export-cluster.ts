import { AdminClient, AdminError, type TlsFiles } from '@holdfast/transport-grpc';
import { failed } from '../cli-error.ts';
import { noAnswer } from '../status/fetch-status.ts';

/**
 * All users as one node of the cluster streams them. The next address is tried only while nothing has come: half of
 * one node's export and half of another's would be neither's.
 * @throws CliError NO_ANSWER, EXPORT_CUT
 */
export async function* firstExport(
  addresses: readonly string[],
  timeoutMs: number,
  tls: TlsFiles | null,
): AsyncGenerator<unknown> {
  const errors: AdminError[] = [];
  for (const address of addresses) {
    const client = new AdminClient(address, { timeoutMs, tls });
    let started = false;
    try {
      for await (const { document } of client.exportUsers()) {
        started = true;
        yield document;
      }
      return;
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      if (started) throw failed('EXPORT_CUT', `the export of ${address} is not whole: ${error.message}`, error);
      errors.push(error);
    } finally {
      client.close();
    }
  }
  throw noAnswer(addresses, errors);
}
