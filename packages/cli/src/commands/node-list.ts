import type { StatusNode } from '@holdfast/node';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import { type ClientOptions, type OutputForm, outputOption, withClientOptions } from '../options.ts';
import { withCluster } from '../status/fetch-status.ts';
import { renderNode, renderNodes } from '../status/render-nodes.ts';

type ListOptions = ClientOptions & { readonly output: OutputForm };

/** Which nodes there are: below `holdfast node`, which runs one here. */
export function addNodeList(node: Command, { io }: CommandContext): void {
  const print = async (nodes: readonly StatusNode[], form: OutputForm, lines: readonly string[]): Promise<void> => {
    const json = (): string => JSON.stringify({ schema: 'holdfast/nodes/v1', nodes }, null, 2);
    await io.out(`${form === 'json' ? json() : lines.join('\n')}\n`);
  };
  const ls = node.command('ls').description('the nodes: where they are, their part in Raft, what they hold');
  withClientOptions(ls)
    .addOption(outputOption(['text', 'json']))
    .action((options: ListOptions) =>
      withCluster(options, io, async (client) => {
        const { nodes, cluster } = await client.status();
        await print(nodes, options.output, renderNodes(nodes, cluster.leader));
      }),
    );
  const show = node.command('show').argument('<id>', 'the node').description('one node and its shards');
  withClientOptions(show)
    .addOption(outputOption(['text', 'json']))
    .action((id: string, options: ListOptions) =>
      withCluster(options, io, async (client) => {
        const { nodes, cluster } = await client.status();
        const found = nodes.find((row) => row.id === id);
        if (found === undefined) {
          const text = `no node ${id}: there are ${nodes.map((row) => row.id).join(', ')}`;
          throw new CliError(exitCodes.notFound, 'NOT_FOUND', text);
        }
        await print([found], options.output, renderNode(found, cluster.leader));
      }),
    );
}
