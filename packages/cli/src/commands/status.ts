import { setTimeout as delay } from 'node:timers/promises';
import type { StatusDocument } from '@holdfast/node';
import { Command } from 'commander';
import { CliError, usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import {
  type ClientOptions,
  durationOption,
  type OutputForm,
  outputOption,
  parseCount,
  withClientOptions,
} from '../options.ts';
import { printable } from '../render/printable.ts';
import { Redraw } from '../render/redraw.ts';
import { changeKey, healthExit, isEstablished } from '../status/changes.ts';
import { type ClusterClient, withCluster } from '../status/fetch-status.ts';
import { renderStatus } from '../status/render-status.ts';

interface StatusOptions extends ClientOptions {
  readonly output: OutputForm;
  readonly watch?: boolean;
  readonly interval: number;
  readonly count?: number;
  readonly established?: boolean;
  readonly nodes?: number;
}

/** Without a --timeout of its own: how long -e waits for a cluster to come up. */
const establishedTimeoutMs = 120_000;
const establishedPollMs = 250;

export function command({ io, finish }: CommandContext): Command {
  const status = new Command('holdfast status').description(
    'Shows the cluster. Exit: 0 ok, 10 unhealthy, 11 degraded.',
  );
  return withClientOptions(status)
    .addOption(outputOption(['text', 'wide', 'json', 'jsonl']))
    .option('-w, --watch', 'go on: redrawn on a terminal, elsewhere one block or line per change')
    .addOption(durationOption('--interval <duration>', 'between two looks of --watch', '2s'))
    .option('-n, --count <n>', 'end --watch after so many', parseCount(1, 1_000_000_000))
    .option('-e, --established', 'wait until --nodes have joined and are healthy, or --timeout (then 2m)')
    .option('--nodes <n>', 'how many --established waits for', parseCount(1, 1_000))
    .action(async (options: StatusOptions) => {
      check(options, status);
      const waits = options.established === true;
      await withCluster({ ...options, timeout: waits ? 5_000 : options.timeout }, io, async (client) => {
        if (waits) {
          const given = status.getOptionValueSource('timeout') === 'cli';
          await established(client, options.nodes!, given ? options.timeout : establishedTimeoutMs);
        }
        finish(options.watch === true ? await watch(client, options, io) : await once(client, options, io));
      });
    });
}

function check(options: StatusOptions, status: Command): void {
  const given = (name: string) => status.getOptionValueSource(name) === 'cli';
  if (options.watch !== true && (given('interval') || given('count')))
    throw usage('--interval and --count go with --watch');
  if (options.established !== true && given('nodes')) throw usage('--nodes goes with --established');
  if (options.established === true && options.nodes === undefined) throw usage('--established needs --nodes N');
}

async function once(client: ClusterClient, options: StatusOptions, io: Io): Promise<number> {
  const document = await client.status();
  await io.out(print(document, options.output, io));
  return healthExit(document);
}

function print(document: StatusDocument, form: OutputForm, io: Io): string {
  if (form === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  if (form === 'jsonl') return `${JSON.stringify(document)}\n`;
  return `${renderStatus(document, { wide: form === 'wide', style: io.style }).join('\n')}\n`;
}

async function watch(client: ClusterClient, options: StatusOptions, io: Io): Promise<number> {
  const draws = io.stdoutIsTerminal && (options.output === 'text' || options.output === 'wide');
  const screen = new Redraw((text) => void io.out(text), process.stdout);
  // JSON one per line: a watcher reads lines.
  const form = options.output === 'json' ? 'jsonl' : options.output;
  let last = '';
  /** By the last look. */
  let exit: number;
  for (let shown = 0; ; ) {
    let lines: string[];
    let key: string;
    try {
      const document = await client.status();
      exit = healthExit(document);
      key = changeKey(document);
      lines = print(document, form, io).trimEnd().split('\n');
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      exit = error.exit;
      key = error.message;
      lines = form === 'jsonl' ? [] : [`holdfast: ${printable(error.message)}`];
      if (form === 'jsonl' && key !== last) io.note(`holdfast: ${printable(error.message)}\n`);
    }
    if (draws) screen.draw(lines);
    else if (key !== last && lines.length > 0) await io.out(`${lines.join('\n')}\n${form === 'jsonl' ? '' : '\n'}`);
    if (draws || key !== last) shown++;
    last = key;
    if (options.count !== undefined && shown >= options.count) return exit;
    await delay(options.interval, undefined, { signal: io.outUnread }).catch(() => undefined);
    if (io.outUnread.aborted) return exit;
  }
}

async function established(client: ClusterClient, nodes: number, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  let seen = 'nobody answers';
  for (;;) {
    try {
      const document = await client.status();
      if (isEstablished(document, nodes)) return;
      const reasons = document.cluster.reasons.map(({ node, text }) => (node === null ? text : `${node} ${text}`));
      const answering = document.nodes.filter(({ reachable }) => reachable).length;
      seen = [`${answering} of ${nodes} nodes answer`, ...reasons].join('; ');
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      seen = error.message;
    }
    if (performance.now() >= deadlineMs) {
      throw new CliError(exitCodes.timedOut, 'TIMED_OUT', `not established within ${timeoutMs / 1000}s: ${seen}`);
    }
    await delay(establishedPollMs);
  }
}
