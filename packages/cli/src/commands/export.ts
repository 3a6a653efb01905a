import { Command, Option } from 'commander';
import { usage } from '../cli-error.ts';
import { clientAddresses } from '../client-addresses.ts';
import { clientTls, type TlsOptions, withTlsOptions } from '../client-tls.ts';
import type { CommandContext } from '../command-table.ts';
import type { Io } from '../io.ts';
import { durationOption, outputOption } from '../options.ts';

interface ExportOptions extends TlsOptions {
  readonly addr?: string;
  readonly data?: string;
  readonly job: string;
  readonly timeout: number;
}

/** Written at once: a call per line would cost more than the line. */
const chunkLength = 64 * 1024;

export function command({ io }: CommandContext): Command {
  const command = new Command('holdfast export');
  return withTlsOptions(command)
    .description('Prints one JSON object per user, sorted by the bytes of the user id.')
    .option('--addr <host:port,...>', 'ask a running cluster (HOLDFAST_ADDR)')
    .addOption(
      new Option('--data <dir>', 'read the backups in a data folder; nodes may run on it or not').conflicts('addr'),
    )
    .addOption(outputOption(['jsonl']))
    .option('--job <name>', 'a built-in job, or the path of its module', 'access-anomaly')
    .addOption(durationOption('--timeout <duration>', 'how long to wait for each answer', '5s'))
    .action(async (options: ExportOptions) => {
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      if (options.data !== undefined) {
        if (given('timeout')) throw usage('--timeout goes with --addr, not with --data');
        await exportStored(options.data, options.job, io);
        return;
      }
      if (given('job')) throw usage('--job goes with --data: a cluster knows its job');
      const { firstExport } = await import('../users/export-cluster.ts');
      // The first node that answers serves it all: an export isn't mixed from several.
      await printAll(firstExport(clientAddresses(options, io), options.timeout, await clientTls(options, io)), io);
    });
}

async function exportStored(dataDir: string, job: string, io: Io): Promise<void> {
  const { StoredUsers } = await import('../users/stored-users.ts');
  const users = await StoredUsers.open(dataDir, job);
  try {
    await printAll(users.views(), io);
  } finally {
    await users.close();
  }
}

/** All that comes, also before an error. */
async function printAll(views: AsyncIterable<unknown>, io: Io): Promise<void> {
  let text = '';
  try {
    for await (const view of views) {
      text += `${JSON.stringify(view)}\n`;
      if (text.length < chunkLength) continue;
      const chunk = text;
      text = '';
      await io.out(chunk);
      if (io.outUnread.aborted) return;
    }
  } finally {
    await io.out(text);
  }
}
