import { Argument, Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import { outputSchemas } from '../output-schemas.ts';

export function command({ io }: CommandContext): Command {
  const known = [...outputSchemas.keys()];
  return new Command('holdfast schema')
    .description('Prints the JSON Schema of an output; without NAME, the names.')
    .addArgument(new Argument('[name]', known.join(', ')))
    .action(async (name: string | undefined) => {
      if (name === undefined) return io.out(`${known.join('\n')}\n`);
      const schema = outputSchemas.get(name) ?? outputSchemas.get(`holdfast/${name}/v1`);
      if (schema === undefined) {
        throw new CliError(exitCodes.notFound, 'NOT_FOUND', `no schema ${name}: known are ${known.join(', ')}`);
      }
      await io.out(`${JSON.stringify(schema(), null, 2)}\n`);
    });
}
