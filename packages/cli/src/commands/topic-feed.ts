import { loadJob } from '@holdfast/node';
import { Command } from 'commander';
import { usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { StopSignal } from '../dev/interrupt.ts';
import { exitCodes } from '../exit-codes.ts';
import { checkInput } from '../feed/check-input.ts';
import { appended, type FedTopic, feedTopic } from '../feed/feed-topic.ts';
import type { Io } from '../io.ts';
import { defaultJob, type LogOptions, withLog, withLogOptions } from '../open-configured-log.ts';
import { type OutputForm, outputOption, parseCount } from '../options.ts';
import { formatCount } from '../render/figures.ts';

interface FeedFlags extends LogOptions {
  readonly output: OutputForm;
  readonly topic?: string;
  readonly partitions?: number;
  readonly again?: boolean;
}

export function feedCommand({ io, finish }: CommandContext): Command {
  const feed = new Command('feed')
    .argument('<file>', 'one record a line; - is standard input')
    .description(
      'append lines to a topic of the embedded log; a file goes on where an earlier feed of it stopped or ended, and must begin with what was fed',
    );
  return withLogOptions(feed)
    .addOption(outputOption(['text', 'json']))
    .option('--topic <name>', 'the topic, made if there is none (default: the input of the configured job)')
    .option('--partitions <n>', 'of a topic that is made (default: 4)', parseCount(1, 1_000))
    .option('--again', 'a file that was fed to its end, or is another one by now, counts anew')
    .action(async (file: string, flags: FeedFlags) => finish(await run(file, flags, io)));
}

async function run(file: string, flags: FeedFlags, io: Io): Promise<number> {
  if (file === '-' && flags.again === true) throw usage('--again goes with a file: a stream is always fed');
  const path = file === '-' ? null : checkInput(file, io.cwd);
  return withLog({ ...flags, makesLog: true }, io, async ({ log, job }) => {
    const topic = flags.topic ?? onlyInput((await loadJob(job ?? defaultJob)).inputs);
    const stop = new AbortController();
    const signals = new StopSignal();
    signals.listen({ first: () => stop.abort() });
    try {
      const { partitions = null, again = false } = flags;
      const feed = { topic, partitions, path, again, stdin: io.stdin, signal: stop.signal };
      let told = -1;
      const fed = await feedTopic(log, feed, (progress) => {
        const { bytes, bytesTotal } = progress;
        const percent = bytesTotal === null || bytesTotal === 0 ? null : Math.floor((100 * bytes) / bytesTotal);
        if (!io.stderrIsTerminal || percent === null || percent === told) return;
        told = percent;
        io.note(`\rfed ${formatCount(appended(progress))} records, ${percent} %`);
      });
      if (told >= 0) io.note('\n');
      await show(fed, path !== null, flags.output, io);
      return fed.last?.complete === true ? exitCodes.ok : exitCodes.interrupted;
    } finally {
      signals.close();
    }
  });
}

function onlyInput(inputs: readonly string[]): string {
  if (inputs.length === 1) return inputs[0]!;
  throw usage(`topic feed: the job reads ${inputs.join(', ')}; say --topic NAME`);
}

function show({ topic, last }: FedTopic, isFile: boolean, output: OutputForm, io: Io): Promise<void> {
  const records = last === null ? 0 : appended(last);
  const complete = last?.complete === true;
  const longLines = last?.longLines ?? 0;
  if (output === 'json') {
    const { topic: name, partitions } = topic;
    const began = last?.began.code ?? null;
    const document = { schema: 'holdfast/feed/v1', topic: name, partitions, records, longLines, began, complete };
    return io.out(`${JSON.stringify(document, null, 2)}\n`);
  }
  const before =
    last !== null && last.records > records ? `, behind ${formatCount(last.records - records)} of before` : '';
  const long = longLines === 0 ? '' : `, ${formatCount(longLines)} of them over 1 MiB`;
  const end = complete ? '' : isFile ? '; interrupted: the same command goes on' : '; interrupted';
  return io.out(
    `${formatCount(records)} ${records === 1 ? 'record' : 'records'} fed to ${topic.topic}${long}${before}${end}\n`,
  );
}
