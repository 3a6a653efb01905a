import { Argument, Command } from 'commander';
import { CliError, failed, usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { StopSignal } from '../dev/interrupt.ts';
import {
  type DeadLetter,
  type LetterFilter,
  type LetterPlace,
  letterName,
  matches,
  parseLetterName,
} from '../dlq/dead-letter.ts';
import { type LettersDocument, letterDocument, renderLetter, renderLetters } from '../dlq/letter-documents.ts';
import { deadLetterTopic, LetterTopic } from '../dlq/letter-topic.ts';
import { LetterReplay } from '../dlq/replay-letters.ts';
import { countLetters, selectLetters } from '../dlq/select-letters.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type LogOptions, withLog, withLogOptions } from '../open-configured-log.ts';
import { type OutputForm, outputOption, parseCount } from '../options.ts';
import { formatCount } from '../render/figures.ts';
import { printable } from '../render/printable.ts';

/** Letters that a replay left out are named, so many. */
const refusedNamedMax = 5;

interface ListOptions extends LogOptions, LetterFilter {
  readonly output: OutputForm;
  readonly limit: number;
  readonly look: number;
}

interface ShowOptions extends LogOptions {
  readonly output: OutputForm;
}

interface ReplayOptions extends LogOptions, LetterFilter {
  readonly output: OutputForm;
  readonly all?: boolean;
  readonly after?: LetterPlace;
  readonly yes?: boolean;
  readonly max: number;
}

export function command({ io, finish }: CommandContext): Command {
  const dlq = new Command('holdfast dlq')
    .description(`Dead letters: records that no job could process, in ${deadLetterTopic}, and how to replay them.`)
    .helpCommand(false);
  const ls = dlq.command('ls').description('the newest dead letters: where each record was, and why it failed');
  withFilter(withLogOptions(ls))
    .addOption(outputOption(['text', 'json']))
    .option('-n, --limit <count>', 'how many', parseCount(1, 10_000), 20)
    .option('--look <count>', 'look no further back than so many letters', parseCount(1, 10_000_000), 100_000)
    .action((options: ListOptions) => list(options, io));
  const show = dlq
    .command('show')
    .argument('<letter>', 'PARTITION@OFFSET, as ls names it')
    .description('one dead letter: key, headers, bytes');
  withLogOptions(show)
    .addOption(outputOption(['text', 'json']))
    .action((name: string, options: ShowOptions) => showOne(name, options, io));
  const replay = dlq
    .command('replay')
    .addArgument(new Argument('[letter]', 'PARTITION@OFFSET; without it those that the filter names'))
    .description(
      'produce the bytes of dead letters to their input topic again, as new records: replaying twice counts twice',
    );
  withFilter(withLogOptions(replay))
    .addOption(outputOption(['text', 'json']))
    .option('--all', 'all letters, where no filter is given')
    .option('--after <letter>', 'only those behind it, as an earlier replay that was cut short names it', placeOf)
    .option('--yes', 'do it; without it letters are only counted')
    .option('--max <count>', 'refuse to replay more', parseCount(1, 10_000_000), 10_000)
    .action(async (name: string | undefined, options: ReplayOptions) => finish(await replayLetters(name, options, io)));
  dlq.action(() => {
    throw usage('dlq: say ls, show or replay');
  });
  return dlq;
}

function withFilter(command: Command): Command {
  return command
    .option('--reason <code>', 'only those that failed for this reason')
    .option('--topic <name>', 'only records of this input topic')
    .option('--job <name>', 'only those of this job');
}

function list(options: ListOptions, io: Io): Promise<void> {
  return withLog(options, io, async ({ log }) => {
    const topic = await LetterTopic.open(log, options.timeout);
    const found = (await topic?.newest(options.limit, options.look, (letter) => matches(letter, options))) ?? {
      letters: [],
      looked: 0,
    };
    const records = topic?.records ?? 0;
    const document: LettersDocument = {
      schema: 'holdfast/dlq/v1',
      at: new Date().toISOString(),
      topic: deadLetterTopic,
      records: String(records),
      looked: String(found.looked),
      letters: found.letters,
    };
    if (options.output === 'json') return io.out(`${JSON.stringify(document, null, 2)}\n`);
    await io.out(`${renderLetters(document).join('\n')}\n`);
    const more =
      found.looked < records && found.letters.length < options.limit
        ? `; looked at the newest ${formatCount(found.looked)}, --look says how far`
        : '';
    io.note(`${formatCount(records)} dead letters in ${deadLetterTopic}${more}\n`);
  });
}

function showOne(name: string, options: ShowOptions, io: Io): Promise<void> {
  const { partition, offset } = placeOf(name);
  return withLog(options, io, async ({ log }) => {
    const letter = (await (await LetterTopic.open(log, options.timeout))?.at(partition, offset)) ?? null;
    if (letter === null) throw notFound(name);
    const document = letterDocument(letter);
    await io.out(
      options.output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : `${renderLetter(document).join('\n')}\n`,
    );
  });
}

function replayLetters(name: string | undefined, options: ReplayOptions, io: Io): Promise<number> {
  const { reason, topic: inputTopic, job, all, after = null, yes, max } = options;
  const hasFilter = reason !== undefined || inputTopic !== undefined || job !== undefined;
  if (name !== undefined && (hasFilter || all || after !== null))
    throw usage('dlq replay: a LETTER, or a filter, not both');
  if (name === undefined && !hasFilter && !all)
    throw usage('dlq replay: say a LETTER, --reason, --topic, --job, or --all');
  const place = name === undefined ? null : placeOf(name);
  // A letter that is named is meant.
  const replays = place !== null || yes === true;
  return withLog(options, io, async ({ log }) => {
    const topic = await LetterTopic.open(log, options.timeout);
    const meant = (stop?: StopSignal) => selectLetters(topic, place, options, after, stop);
    const matching = await countLetters(meant());
    if (place !== null && matching === 0) throw notFound(letterName(place));
    if (replays && matching > max) throw usage(`dlq replay: ${matching} letters match, more than --max ${max}`);
    const replay = new LetterReplay(log, options.timeout);
    const next = replays ? await replayUntilStopped(replay, meant, matching, io) : null;
    await showReplay(replay, matching, next, options.output, io);
    if (!replays && matching > 0) io.note('nothing was replayed: say --yes to do it\n');
    if (next !== null) {
      tellRefused(replay, io);
      return exitCodes.interrupted;
    }
    if (replay.refused.length > 0) throw notReplayed(replay.refused);
    return exitCodes.ok;
  });
}

/** With which it would have gone on when a signal came; null: none did, or too late. */
async function replayUntilStopped(
  replay: LetterReplay,
  meant: (stop: StopSignal) => AsyncIterable<DeadLetter>,
  matching: number,
  io: Io,
): Promise<DeadLetter | null> {
  const signals = new StopSignal();
  signals.listen({});
  try {
    return await replay.all(meant(signals), matching, signals);
  } catch (error) {
    tellRefused(replay, io);
    throw error;
  } finally {
    signals.close();
  }
}

function showReplay(
  { replayed, refused, last }: LetterReplay,
  matching: number,
  next: DeadLetter | null,
  output: OutputForm,
  io: Io,
): Promise<void> {
  const document = {
    schema: 'holdfast/dlq-replay/v1',
    matching: String(matching),
    replayed: String(replayed),
    refused: String(refused.length),
    last: last === null ? null : letterName(last),
    next: next === null ? null : letterName(next),
  };
  if (output === 'json') return io.out(`${JSON.stringify(document, null, 2)}\n`);
  const goesOn = last === null ? 'the same command goes on' : `--after ${document.last} goes on`;
  const end = next === null ? '' : `; interrupted: the next is ${document.next}, ${goesOn}`;
  return io.out(`${formatCount(matching)} match, ${formatCount(replayed)} replayed${end}\n`);
}

/** Who goes on behind them hears of them no more. */
function tellRefused({ refused }: LetterReplay, io: Io): void {
  if (refused.length > 0) io.note(`holdfast: ${printable(notReplayed(refused).message)}\n`);
}

function placeOf(name: string): LetterPlace {
  const place = parseLetterName(name);
  if (place === null) throw usage(`'${name}' is no PARTITION@OFFSET, such as 0@12`);
  return place;
}

function notReplayed(refused: LetterReplay['refused']): CliError {
  const names = refused.slice(0, refusedNamedMax).map(({ letter, why }) => `${letterName(letter)}: ${why}`);
  const more = refused.length > names.length ? [`and ${refused.length - names.length} more`] : [];
  const text = refused.length === 1 ? 'a letter is not replayed' : `${refused.length} letters are not replayed`;
  return failed('NOT_REPLAYED', `${text}: ${[...names, ...more].join('; ')}`);
}

function notFound(name: string): CliError {
  return new CliError(exitCodes.notFound, 'NOT_FOUND', `there is no dead letter ${name}`);
}
