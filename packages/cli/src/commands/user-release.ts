import { formatUnit, hashUnit, unitHashOut } from '@holdfast/model';
import { quarantinedReason } from '@holdfast/processor';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';
import { withCluster } from '../status/fetch-status.ts';

/** Takes a user out of quarantine. @throws CliError also when it isn't in it */
export function releaseUser(key: Uint8Array, options: ClientOptions, io: Io): Promise<void> {
  hashUnit(key, 0, key.length);
  const unit = formatUnit(unitHashOut.hi, unitHashOut.lo);
  return withCluster(options, io, async (client) => {
    await client.act({ kind: 'releaseUser', unit });
    io.note('released: records from now on are applied again\n');
    io.note(`what came before is in dead letters: holdfast dlq replay --reason ${quarantinedReason}\n`);
  });
}
