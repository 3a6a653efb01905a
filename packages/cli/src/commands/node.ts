import { compileConfig, NodeEndError, type RunningNode, runNode, ServiceError } from '@holdfast/node';
import { Command, Option } from 'commander';
import { failed } from '../cli-error.ts';
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
    try {
      running = await runNode(config, wanted.signal);
    } catch (error) {
      // Asked to stop while it is starting: nothing is held yet, so nothing must be drained.
      if (error instanceof ServiceError && error.code === 'START_INTERRUPTED') return finish(exitCodes.ok);
      throw error;
    }
    if (wanted.signal.aborted) running.stop();
    const end = await running.ended;
    // An ordinary exit waits for its threads: for one in a system call that doesn't return, for ever.
    if (end.stuck) process.once('exit', killThisProcess);
    if (end.kind === 'failed' && end.error instanceof NodeEndError)
      throw failed(end.error.code, end.error.message, end.error);
    if (end.kind === 'failed')
      throw failed('NODE_FAILED', `node ${config.nodeId} failed: ${end.error.message}`, end.error);
    report(io, config.nodeId, end.drained);
    finish(exitCodes.ok);
  });
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
