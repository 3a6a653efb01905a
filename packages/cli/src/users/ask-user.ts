import type { UserDocument } from '@holdfast/node';
import { AdminError } from '@holdfast/transport-grpc';
import { failed } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';
import { withCluster } from '../status/fetch-status.ts';

/** One user as the cluster knows it; null when it has never seen the key. */
export function askCluster(key: Uint8Array, options: ClientOptions, io: Io): Promise<UserDocument | null> {
  return withCluster(options, io, async (client) => {
    const answer = await client.first(async (node) => {
      try {
        return await node.getUser(key);
      } catch (error) {
        // An answer, not a failure: the other nodes would say the same.
        if (error instanceof AdminError && error.code === 'NOT_FOUND') return null;
        throw error;
      }
    });
    if (answer === null) return null;
    if (answer.schema !== 'holdfast/user/v1') {
      throw failed('UNKNOWN_SCHEMA', `the node answers with schema ${answer.schema}, which this version doesn't know`);
    }
    return answer.document as UserDocument;
  });
}
