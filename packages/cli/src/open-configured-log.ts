import { existsSync } from 'node:fs';
import type { Log } from '@holdfast/engine';
import { silentLogger } from '@holdfast/model';
import {
  compileConfig,
  type NodeConfig,
  NodeTimers,
  openLog,
  type ServiceEnvironment,
  ServiceError,
} from '@holdfast/node';
import { type Command, Option } from 'commander';
import { BoundedLog, unreachable } from './bounded-log.ts';
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

type KafkaLogConfig = Extract<NodeConfig['log'], { readonly kind: 'kafka' }>;

/** A try to connect that has not come to its end so long after the timeout is left. */
const hungTryMs = 1_000;
const timerMsMax = 2 ** 31 - 1;

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
  const { job } = config;
  if (config.log.kind === 'kafka') return { log: await openBrokers(config.log, timeout, environment), job };
  const path = config.log.dir ?? (await embeddedPath(config.dataDir));
  if (!makesLog) requireLog(path);
  return { log: await openLog({ log: config.log }, path, environment), job };
}

/** A command's patience is its own. @throws CliError LOG_UNREACHABLE, ServiceError */
async function openBrokers(config: KafkaLogConfig, timeoutMs: number, environment: ServiceEnvironment): Promise<Log> {
  const name = `Kafka at ${config.brokers.join(', ')}`;
  // A try may hang for longer than that; one that does not ends by itself, and says why.
  const stop = AbortSignal.timeout(Math.min(timeoutMs + hungTryMs, timerMsMax));
  try {
    const log = await openLog({ log: { ...config, connectDeadlineMs: timeoutMs } }, '', { ...environment, stop });
    return new BoundedLog(log, name, timeoutMs, environment.timers);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === 'START_INTERRUPTED') throw unreachable(name, timeoutMs);
    if (error.code !== 'LOG_UNREACHABLE') throw error;
    throw new CliError(exitCodes.timedOut, error.code, error.message, { cause: error });
  }
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
