import { existsSync } from 'node:fs';
import type { Log } from '@holdfast/engine';
import { silentLogger } from '@holdfast/model';
import { compileConfig, type NodeConfig, NodeTimers, openLog } from '@holdfast/node';
import { type Command, Option } from 'commander';
import { CliError, failed, usage } from './cli-error.ts';
import { requireDataFolder } from './client-addresses.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { readConfigFiles } from './node-settings.ts';
import { durationOption } from './options.ts';

/** Whose log a command opens by itself. */
export interface LogOptions {
  readonly config: readonly string[];
  readonly data?: string;
  readonly timeout: number;
  /** An embedded log that isn't there is made: the command feeds it. */
  readonly makesLog?: boolean;
}

/** Of a log that was opened by its folder alone. */
export const defaultJob = { name: 'access-anomaly', inputTopic: null, mapping: 'holdfast' } as const;

const collect = (value: string, before: readonly string[]) => [...before, value];

export function withLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-c, --config <file>', "a node's configuration: its log is opened as the node would")
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--data <dir>', 'the embedded log of a data folder; nodes may run on it or not'))
    .addOption(durationOption('--timeout <duration>', 'how long to wait for brokers', '10s'));
}

export interface ConfiguredLog {
  readonly log: Log;
  /** Null: it was opened by its folder alone. */
  readonly job: NodeConfig['job'] | null;
}

/** Opens the log, does the work, closes the log. @throws CliError, ConfigError, ServiceError */
export async function withLog<T>(options: LogOptions, io: Io, work: (opened: ConfiguredLog) => Promise<T>): Promise<T> {
  const opened = await open(options, io);
  try {
    return await work(opened);
  } finally {
    await opened.log.close();
  }
}

async function open({ config: files, data, timeout, makesLog = false }: LogOptions, io: Io): Promise<ConfiguredLog> {
  if ((data === undefined) === (files.length === 0)) throw usage('give --config FILE of a node, or --data DIR');
  const environment = { timers: new NodeTimers(), logger: silentLogger };
  if (data !== undefined) {
    const { embeddedPart } = await import('./embedded-part.ts');
    const path = embeddedPart(data, 'log', 'give --config FILE of such a node, in place of --data');
    if (!makesLog) requireLog(path);
    const log = await openLog({ log: { kind: 'embedded', dir: null } }, path, environment);
    return { log, job: null };
  }
  const { config } = compileConfig({ env: io.env, files: readConfigFiles(files, io.cwd), cwd: io.cwd });
  // A command's patience is its own.
  const settings = config.log.kind === 'kafka' ? { ...config.log, connectDeadlineMs: timeout } : config.log;
  const path = settings.kind === 'kafka' ? '' : (settings.dir ?? (await embeddedPath(config.dataDir)));
  if (settings.kind === 'embedded' && !makesLog) requireLog(path);
  return { log: await openLog({ log: settings }, path, environment), job: config.job };
}

/** Opening the embedded log would make one: whoever feeds it does that. */
function requireLog(path: string): void {
  if (existsSync(path)) return;
  throw new CliError(exitCodes.notFound, 'NOT_FOUND', `there is no log ${path}: nothing has been fed to it yet`);
}

/** A reading command makes no folder where there is none. */
async function embeddedPath(dir: string): Promise<string> {
  requireDataFolder(dir);
  const { openDataFolder } = await import('@holdfast/embedded');
  const opened = openDataFolder(dir, Date.now());
  if (opened.code !== 'OK') throw failed(opened.code, opened.text);
  return opened.folder.logPath;
}
