import { loadJob } from '@holdfast/node';
import { Command, Option } from 'commander';
import { CliError, usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { defaultJob, type LogOptions, withLog, withLogOptions } from '../open-configured-log.ts';
import { type OutputForm, outputOption, withClientOptions } from '../options.ts';
import { formatCount } from '../render/figures.ts';
import { renderTable } from '../render/table.ts';
import { feedCommand } from './topic-feed.ts';
import { type ReplaceOptions, replaceTopic } from './topic-replace.ts';

interface LagOptions extends LogOptions {
  readonly output: OutputForm;
  readonly topic: readonly string[];
  readonly group?: string;
}

interface LagRow {
  readonly topic: string;
  readonly partition: number;
  /** Null: nothing is committed. */
  readonly committed: string | null;
  readonly head: string;
  /** From the first record kept where nothing is committed. */
  readonly lag: string;
}

const collect = (value: string, before: readonly string[]) => [...before, value];

export function command(context: CommandContext): Command {
  const { io } = context;
  const topic = new Command('holdfast topic').description('Topics of the log.').helpCommand(false);
  const lag = topic.command('lag').description('how far a job has committed, per partition');
  withLogOptions(lag)
    .addOption(outputOption(['text', 'json']))
    .addOption(
      new Option('--topic <name>', 'of these topics; may be given again')
        .argParser(collect)
        .default([], 'the inputs of the configured job'),
    )
    .option('--group <name>', 'of this job (default: the configured one)')
    .action((options: LagOptions) => showLag(options, io));
  const replace = topic
    .command('replace')
    .argument('<name>', 'the topic')
    .description('read an input topic that was deleted and made anew, as the other topic that it is');
  withClientOptions(replace)
    .option('--yes', 'do it; without it only how the topic stands is said')
    .action((name: string, options: ReplaceOptions) => replaceTopic(name, options, io));
  topic.addCommand(feedCommand(context));
  topic.action(() => {
    throw usage('topic: say feed, lag or replace');
  });
  return topic;
}

function showLag(options: LagOptions, io: Io): Promise<void> {
  return withLog(options, io, async ({ log, job: configured }) => {
    const job = await loadJob(configured ?? defaultJob);
    const group = options.group ?? job.name;
    const rows: LagRow[] = [];
    for (const topic of options.topic.length > 0 ? options.topic : job.inputs) {
      const info = await log.describe(topic);
      if (info === null) throw new CliError(exitCodes.notFound, 'NOT_FOUND', `there is no topic ${topic}`);
      const [begins, ends] = [await log.offsetsAt(topic, 'earliest'), await log.endOffsets(topic)];
      for (const [partition, head] of ends.entries()) {
        const committed = await log.committed(group, { topicId: info.topicId, partition });
        const from = committed?.offset ?? begins[partition]!;
        rows.push({
          topic,
          partition,
          committed: committed === null ? null : String(committed.offset),
          head: String(head),
          lag: String(Math.max(head - from, 0)),
        });
      }
    }
    if (options.output === 'json') {
      const document = { schema: 'holdfast/lag/v1', at: new Date().toISOString(), group, partitions: rows };
      return io.out(`${JSON.stringify(document, null, 2)}\n`);
    }
    const cells = rows.map(({ topic, partition, committed, head, lag }) => {
      return [topic, String(partition), formatCount(committed), formatCount(head), formatCount(lag)];
    });
    await io.out(`${renderTable(['TOPIC', 'PART', 'COMMITTED', 'HEAD', 'LAG'], cells).join('\n')}\n`);
  });
}
