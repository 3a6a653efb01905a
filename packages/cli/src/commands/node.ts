import { errorText } from '@holdfast/model';
import { compileConfig, NodeEndError, type RunningNode, runNode, ServiceError } from '@holdfast/node';
import { Command, Option } from 'commander';
import { type CliError, failed } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { StopSignal } from '../dev/interrupt.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { readConfigFiles, settingFlags, withSettingFlags } from '../node-settings.ts';
import { addNodeActs } from './node-acts.ts';
import { addNodeList } from './node-list.ts';

const collect = (value: string, before: readonly string[]) => [...before, value];

export function command(context: CommandContext): Command {
  const { io, finish } = context;
  const node = new Command('holdfast node')
    .description(
      'Runs one node until SIGTERM or SIGINT, which drain it; a second one ends it at once. Logs: NDJSON on stdout.',
    )
    .addOption(
      new Option('-c, --config <file>', 'YAML or JSON; may be given again, later files win')
        .argParser(collect)
        .default([], 'none'),
    );
  // Both have --data and --tls-ca: what stands behind `node ls` is for `ls`.
  node.enablePositionalOptions();
  addNodeList(node, context);
  addNodeActs(node, context);
  return withSettingFlags(node).action(async (options: Record<string, unknown>) => {
    const files = readConfigFiles(options.config as string[], io.cwd);
    const { config } = compileConfig({ flags: settingFlags(options), env: io.env, files, cwd: io.cwd });
    const supervised = io.env.HOLDFAST_SUPERVISED === '1';
    const wanted = new AbortController();
    let running: RunningNode | null = null;
    const signals = listen(supervised);
    signals.listen({
      first: () => {
        wanted.abort();
        running?.stop();
      },
      again: () => {
        if (running !== null) return running.stop();
        io.note(`holdfast: node ${config.nodeId} is ended in the midst of its start\n`);
        killThisProcess();
      },
    });
    let failStart!: (error: CliError) => void;
    const startFailed = new Promise<never>((_, reject) => {
      failStart = reject;
    });
    const forget = onCrash((error) => {
      if (running !== null) running.fail(error);
      else failStart(nodeFailed(config.nodeId, error));
    });
    try {
      const started = await Promise.race([runNode(config, wanted.signal), startFailed]);
      running = started;
      if (wanted.signal.aborted) started.stop();
      const end = await started.ended;
      // An ordinary exit waits for its threads: for one in a system call that doesn't return, for ever.
      if (end.stuck) process.once('exit', killThisProcess);
      if (end.kind === 'failed') throw nodeFailed(config.nodeId, end.error);
      report(io, config.nodeId, end.drained);
    } catch (error) {
      // Asked to stop while it is starting: nothing is held yet, so nothing must be drained.
      if (!(error instanceof ServiceError && error.code === 'START_INTERRUPTED')) throw error;
    } finally {
      forget();
    }
    finish(exitCodes.ok);
  });
}

/** What nobody caught would end the process at once, and only with a stack. @returns ends the listening */
function onCrash(told: (error: unknown) => void): () => void {
  const events = ['uncaughtException', 'unhandledRejection'];
  for (const event of events) process.on(event, told);
  return () => {
    for (const event of events) process.off(event, told);
  };
}

function nodeFailed(nodeId: string, error: unknown): CliError {
  if (error instanceof NodeEndError) return failed(error.code, error.message, error);
  return failed('NODE_FAILED', `node ${nodeId} failed: ${errorText(error)}`, error);
}

function listen(supervised: boolean): StopSignal {
  if (!supervised) return new StopSignal();
  const signals = new StopSignal(['SIGTERM']);
  // Ctrl-C goes to the whole process group: the supervisor stops its nodes itself, in order.
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  // The supervisor holds the other end for as long as it lives. Where it asked before it ended, the drain goes on.
  process.stdin.on('end', signals.ask);
  process.stdin.on('error', signals.ask);
  process.stdin.resume();
  return signals;
}

/** What is open then is safe, as after a crash. */
function killThisProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

function report(io: Io, nodeId: string, drained: boolean): void {
  if (!drained)
    io.note(`holdfast: node ${nodeId} stopped before everything was handed over; what is missing will be replayed\n`);
}
