import { AdminClient, AdminError, type TlsFiles } from '@holdfast/transport-grpc';
import { failed } from '../cli-error.ts';

/**
 * All users as one node of the cluster streams them. The next address is tried only while nothing has come: half of
 * one node's export and half of another's would be neither's.
 */
export async function* firstExport(
  addresses: readonly string[],
  timeoutMs: number,
  tls: TlsFiles | null,
): AsyncGenerator<unknown> {
  const reasons: string[] = [];
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
      reasons.push(error.message.replace(/\s*\n\s*/g, ' '));
    } finally {
      client.close();
    }
  }
  throw failed('NO_ANSWER', reasons.join('; '));
}
