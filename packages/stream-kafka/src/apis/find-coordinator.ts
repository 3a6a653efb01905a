import type { Api } from '../wire/api.ts';
import type { BrokerAddress } from './metadata.ts';

export interface FindCoordinatorAnswer extends BrokerAddress {
  readonly error: number;
  readonly message: string | null;
}

/**
 * FindCoordinator v4, of a group. key_type INT8, [key]
 * => throttle INT32, [key, node_id INT32, host, port INT32, error_code INT16, message]
 */
export const findCoordinator: Api<string, FindCoordinatorAnswer | null> = {
  name: 'FindCoordinator',
  key: 10,
  version: 4,
  flexible: true,
  write: (w, group) =>
    w
      .int8(0)
      .compactArray([group], (key) => w.compactString(key))
      .tags(),
  read: (r) => {
    r.int32();
    const [coordinator] = r.compactArray(() => {
      r.compactString();
      const nodeId = r.int32();
      const host = r.compactString() ?? '';
      const port = r.int32();
      const error = r.int16();
      const message = r.compactString();
      r.tags();
      return { nodeId, host, port, error, message };
    });
    return coordinator ?? null;
  },
};
