import { compileConfig, NodeEndError, type RunningNode, runNode, ServiceError } from '@holdfast/node';
import { Command } from 'commander';
import { failed } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
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
    .option('-c, --config <file>', 'YAML or JSON; may be given again, later files win', collect, []);
  addNodeList(node, context);
  addNodeActs(node, context);
  return withSettingFlags(node).action(async (options: Record<string, unknown>) => {
    const files = readConfigFiles(options.config as string[], io.cwd);
    const { config } = compileConfig({ flags: settingFlags(options), env: io.env, files, cwd: io.cwd });
    const supervised = io.env.HOLDFAST_SUPERVISED === '1';
    const wanted = new AbortController();
    let running: RunningNode | null = null;
    const stop = () => {
      wanted.abort();
      running?.stop();
    };
    listen(stop, supervised);
    try {
      running = await runNode(config, wanted.signal);
    } catch (error) {
      // Asked to stop while it is starting: nothing is held yet, so nothing must be drained.
      if (error instanceof ServiceError && error.code === 'START_INTERRUPTED') return finish(exitCodes.ok);
      throw error;
    }
    if (wanted.signal.aborted) running.stop();
    const end = await running.ended;
    if (end.kind === 'failed' && end.error instanceof NodeEndError)
      throw failed(end.error.code, end.error.message, end.error);
    if (end.kind === 'failed')
      throw failed('NODE_FAILED', `node ${config.nodeId} failed: ${end.error.message}`, end.error);
    report(io, config.nodeId, end.drained);
    finish(exitCodes.ok);
  });
}

function listen(stop: () => void, supervised: boolean): void {
  process.on('SIGTERM', stop);
  // Ctrl-C goes to the whole process group: the supervisor stops its nodes itself, in order.
  process.on('SIGINT', supervised ? () => undefined : stop);
  process.on('SIGHUP', supervised ? () => undefined : stop);
  if (!supervised) return;
  // The supervisor holds the other end for as long as it lives.
  process.stdin.on('end', stop);
  process.stdin.on('error', stop);
  process.stdin.resume();
}

function report(io: Io, nodeId: string, drained: boolean): void {
  if (!drained)
    io.note(`holdfast: node ${nodeId} stopped before everything was handed over; what is missing will be replayed\n`);
}
