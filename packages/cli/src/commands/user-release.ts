import { formatUnit, hashUnit, unitHashOut } from '@holdfast/model';
import { quarantinedReason } from '@holdfast/processor';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';
import { withCluster } from '../status/fetch-status.ts';

/** What a release leaves to be done. A filter knows no users, and nothing remembers what was replayed. */
const letters = [
  `what came before is in dead letters: holdfast dlq ls --reason ${quarantinedReason} -n 10000 names them`,
  '(all with --config FILE, or --data DIR of nodes on one machine),',
  'dlq show LETTER says whose one is, dlq replay LETTER applies its record.',
  `dlq replay --reason ${quarantinedReason} takes those of all users; what was replayed before counts twice`,
];

/** Takes a user out of quarantine. @throws CliError also when it isn't in it */
export function releaseUser(key: Uint8Array, options: ClientOptions, io: Io): Promise<void> {
  hashUnit(key, 0, key.length);
  const unit = formatUnit(unitHashOut.hi, unitHashOut.lo);
  return withCluster(options, io, async (client) => {
    await client.act({ kind: 'releaseUser', unit });
    io.note('released: records from now on are applied again\n');
    io.note(`${letters.join('\n')}\n`);
  });
}
