import { compileConfig, configJsonSchema, configWarnings } from '@holdfast/node';
import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import { readConfigFiles, settingFlags, withSettingFlags } from '../node-settings.ts';
import { outputOption } from '../options.ts';
import { renderTable } from '../render/table.ts';

/** What is shown of a secret is that there is one, and of an address all but its password: `origins` are made so. */
export function command({ io }: CommandContext): Command {
  const config = new Command('holdfast config')
    .description("Checks and shows a node's configuration: flags, HOLDFAST_* variables, files, defaults.")
    .helpCommand(false);
  const compile = (files: readonly string[], options: Record<string, unknown>) =>
    compileConfig({ flags: settingFlags(options), env: io.env, files: readConfigFiles(files, io.cwd), cwd: io.cwd });
  const check = config.command('check').argument('[file...]').description('0 valid, 1 not; lists all problems at once');
  withSettingFlags(check).action(async (files: string[], options: Record<string, unknown>) => {
    const { config } = compile(files, options);
    for (const text of configWarnings(config)) io.note(`holdfast: warning: ${text}\n`);
    await io.out(`valid: node ${config.nodeId} of ${config.peers.length} in cluster ${config.clusterName}\n`);
  });
  const show = config.command('show').argument('[file...]').description('all settings as they would be used');
  withSettingFlags(
    show.addOption(outputOption(['text', 'json'])).option('--origin', 'and where each came from'),
  ).action(async (files: string[], options: Record<string, unknown>) => {
    const { origins } = compile(files, options);
    if (options.output === 'json') {
      const settings = origins.map(({ path, value, origin }) =>
        options.origin === true ? { path, value, origin } : { path, value },
      );
      await io.out(`${JSON.stringify({ schema: 'holdfast/config/v1', settings }, null, 2)}\n`);
      return;
    }
    const text = (value: unknown) => (value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value));
    const rows = origins.map(({ path, value, origin }) =>
      options.origin === true ? [path, text(value), origin] : [path, text(value)],
    );
    const header = options.origin === true ? ['SETTING', 'VALUE', 'ORIGIN'] : ['SETTING', 'VALUE'];
    await io.out(`${renderTable(header, rows).join('\n')}\n`);
  });
  config
    .command('schema')
    .description('JSON Schema of a configuration file')
    .action(() => io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`));
  config.action(() => {
    throw new CliError(exitCodes.usage, 'USAGE', 'config: say check, show or schema');
  });
  return config;
}
