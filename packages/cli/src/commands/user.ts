import type { UserDocument } from '@holdfast/node';
import { Command } from 'commander';
import { CliError, usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type ClientOptions, type OutputForm, outputOption, withClientOptions } from '../options.ts';
import { renderUser } from '../users/render-user.ts';
import type { DiscardOptions } from './user-discard.ts';
import type { MoveOptions } from './user-move.ts';

interface GetOptions extends ClientOptions {
  readonly output: OutputForm;
  readonly hex?: boolean;
  readonly job: string;
  readonly history?: boolean;
}

export function command({ io }: CommandContext): Command {
  const user = new Command('holdfast user')
    .description(
      'Looks up one user, moves it, releases it from quarantine, or removes what is stored of it and unreadable.',
    )
    .helpCommand(false);
  const get = user
    .command('get')
    .argument('<key>', "the user's key")
    .description('holder, lease epoch, state, backup age');
  withClientOptions(get)
    .addOption(outputOption(['text', 'json']))
    .option('--hex', 'KEY is given as hex digits')
    .option('--history', 'also who held it before, as far as the answering node remembers')
    .option('--job <name>', 'whose state to read from --data while no node runs', 'access-anomaly')
    .action(async (text: string, options: GetOptions) => {
      if (get.getOptionValueSource('job') === 'cli' && options.data === undefined)
        throw usage('--job goes with --data: a cluster knows its job');
      const key = keyBytes(text, options.hex === true);
      const document = await find(key, options, io);
      if (document === null) throw new CliError(exitCodes.notFound, 'NOT_FOUND', `no such user: ${text}`);
      const json = options.output === 'json';
      await io.out(
        json
          ? `${JSON.stringify(document, null, 2)}\n`
          : `${renderUser(document, options.history === true).join('\n')}\n`,
      );
    });
  const move = user
    .command('move')
    .argument('<key>', "the user's key")
    .description('hand a user to another node: a hot one to a node of its own');
  withClientOptions(move)
    .requiredOption('--to <node[/shard]>', 'the node, or one of its shards (else the least loaded)')
    .option('--hex', 'KEY is given as hex digits')
    .action(async (text: string, options: MoveOptions & { readonly hex?: boolean }) => {
      const { moveUser } = await import('./user-move.ts');
      await moveUser(keyBytes(text, options.hex === true), options, io);
    });
  const release = user
    .command('release')
    .argument('<key>', "the user's key")
    .description('take a user out of quarantine: its records are applied again from now on');
  withClientOptions(release)
    .option('--hex', 'KEY is given as hex digits')
    .action(async (text: string, options: ClientOptions & { readonly hex?: boolean }) => {
      const { releaseUser } = await import('./user-release.ts');
      await releaseUser(keyBytes(text, options.hex === true), options, io);
    });
  const discard = user
    .command('discard')
    .argument('<key>', "the user's key")
    .description('remove the stored row of a user that can not be read, from an embedded store');
  discard
    .requiredOption('--data <dir>', 'the data folder')
    .option('--yes', 'do it; without it the row is only looked at')
    .option('--hex', 'KEY is given as hex digits')
    .action(async (text: string, options: DiscardOptions & { readonly hex?: boolean }) => {
      const { discardRow } = await import('./user-discard.ts');
      await discardRow(keyBytes(text, options.hex === true), options, io);
    });
  return user;
}

function keyBytes(text: string, hex: boolean): Uint8Array {
  if (!hex) return Buffer.from(text, 'utf8');
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) throw usage(`'${text}' is no even number of hex digits`);
  return Buffer.from(text, 'hex');
}

/** From the cluster; with --data and no node that answers, from the folder itself. */
async function find(key: Uint8Array, options: GetOptions, io: Io): Promise<UserDocument | null> {
  const { askCluster } = await import('../users/ask-user.ts');
  let failure: CliError;
  try {
    return await askCluster(key, options, io);
  } catch (error) {
    const isAway = error instanceof CliError && (error.code === 'NO_ANSWER' || error.code === 'NO_DEV_CLUSTER');
    if (options.data === undefined || !isAway) throw error;
    failure = error;
  }
  const { readStored } = await import('../users/read-stored.ts');
  const stored = await readStored(key, options.data, options.job);
  // A node that runs may hold whom the store has not got yet.
  const isRunning = (failure.cause as { readonly code?: unknown } | undefined)?.code === 'FAILED';
  if (stored === null && isRunning) throw failure;
  return stored;
}
