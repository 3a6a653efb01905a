import { Command, CommanderError } from 'commander';
import { type CliError, failed, toCliError, usage } from './cli-error.ts';
import { type CommandContext, commandTable } from './command-table.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { printable } from './render/printable.ts';
import { programVersion } from './version.ts';

/** Runs one command line to its end. Never rejects; errors become one line on stderr and an exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exit: number = exitCodes.ok;
  const context: CommandContext = {
    io,
    finish: (code) => {
      exit = code;
    },
  };
  const json = wantsJson(argv) || io.env.HOLDFAST_SUPERVISED === '1';
  let help: Promise<void> = Promise.resolve();
  try {
    const [name, ...rest] = argv.filter((arg) => arg !== '--no-color');
    const entry = Object.hasOwn(commandTable, name ?? '') ? commandTable[name!] : undefined;
    const command = entry === undefined ? rootCommand() : (await entry.load()).command(context);
    quiet(command, io, json, (text) => {
      help = io.out(text);
    });
    await command.parseAsync(entry === undefined ? (name === undefined ? ['--help'] : [name, ...rest]) : rest, {
      from: 'user',
    });
    checkOutput(io);
    // Without any argument the help is an answer to a question that wasn't asked.
    return name === undefined ? exitCodes.usage : exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) return told(error);
    if (error.exitCode !== 0) return exitCodes.usage;
    await help;
    try {
      checkOutput(io);
    } catch (unwritten) {
      return told(unwritten);
    }
    return argv.length === 0 ? exitCodes.usage : exitCodes.ok;
  }

  function told(error: unknown): number {
    const known = toCliError(error);
    io.note(errorText(known, json));
    return known.exit;
  }
}

/** What a command prints is its work: where that can't be written, it has failed. */
function checkOutput({ outError }: Io): void {
  if (outError != null) throw failed('OUTPUT_FAILED', `stdout can't be written: ${outError.message}`);
}

function rootCommand(): Command {
  const root = new Command('holdfast')
    .description('Exactly-once per-user state over a cluster, from JSON logs.')
    .version(programVersion, '-V, --version')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nOn each: --help. Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 timed out, 10 unhealthy, 11 degraded, ' +
        '130 interrupted.',
    );
  for (const [name, { summary }] of Object.entries(commandTable)) {
    root.command(name).description(summary).allowExcessArguments().helpOption(false);
  }
  return root;
}

/** Errors come as exceptions, and in one line. */
function quiet(command: Command, io: Io, json: boolean, writeOut: (text: string) => void): void {
  command.exitOverride().configureOutput({
    writeOut,
    writeErr: (text) => io.note(text),
    outputError: (text, write) => {
      const line = text
        .replace(/^error: /, '')
        .trim()
        .replace(/\s*\n\s*/g, ' ');
      write(errorText(usage(line), json));
    },
  });
  for (const sub of command.commands) quiet(sub, io, json, writeOut);
}

function errorText({ code, exit, message }: CliError, json: boolean): string {
  if (json) return `${JSON.stringify({ schema: 'holdfast/error/v1', code, exit, text: message, hint: null })}\n`;
  // A configuration has a line per problem.
  return `holdfast: ${message.split('\n').map(printable).join('\n')}\n`;
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (arg, i) =>
      /^(-o|--output)(=?)jsonl?$/.test(arg) || (/^(-o|--output)$/.test(arg) && /^jsonl?$/.test(argv[i + 1] ?? '')),
  );
}
