import { Command, Option } from 'commander';
import type { CommandContext } from '../command-table.ts';
import { type DevFlags, planDev } from '../dev/dev-options.ts';
import { outputOption, parseCount, parseDurationMs } from '../options.ts';

export function command({ io, finish }: CommandContext): Command {
  return new Command('holdfast dev')
    .description(
      'Runs a cluster of node processes on this machine, feeds it, shows its status, and ends with a summary.',
    )
    .addOption(
      new Option('--nodes <n>', 'node processes (default: 3, or as the data folder has)').argParser(parseCount(1, 9)),
    )
    .option('--generate', 'feed generated access logs')
    .option('--input <file>', 'feed the lines of a file, or of standard input (-)')
    .option('--mapping <name|file>', 'their format: holdfast, nginx, ecs, or a YAML or JSON file')
    .option('--once', 'end when all input is applied, backed up and committed')
    .option('--records <n>', 'generate so many (default with --once: 100000)', parseCount(1, 1_000_000_000))
    .option(
      '--rate <n>',
      'generate so many per second (default: 1000; with --once no limit)',
      parseCount(1, 10_000_000),
    )
    .option('--seed <n>', 'of the generator (default: 1)', parseCount(0, 2 ** 32 - 1))
    .option(
      '--users <n>',
      'generated users (default: 20000, or a tenth of the records if that is less; 100 at least)',
      parseCount(1, 10_000_000),
    )
    .option('--data <dir>', 'keep everything here, and go on with what is there (default: a folder removed at the end)')
    .option('--partitions <n>', 'of the input topic (default: 4)', parseCount(1, 1_000))
    .option('--shards <n>', 'worker threads per node (default: the cores, shared out)', parseCount(1, 64))
    .option('--backup-interval <duration>', 'between two backups (default: 30s; with --once 5s)', parseDurationMs)
    .addOption(outputOption(['text', 'json']))
    .option('--no-color', 'no colours (NO_COLOR)')
    .action(async (flags: DevFlags) => {
      const plan = planDev(flags, io.cwd);
      const { runDev } = await import('../dev/run-dev.ts');
      finish(await runDev(plan, io));
    });
}
