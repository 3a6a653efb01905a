import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TlsOptions, withTlsOptions } from './client-tls.ts';

export type OutputForm = 'text' | 'wide' | 'json' | 'jsonl';

/** `-o FORM`, of those that the command knows. */
export function outputOption(forms: readonly OutputForm[]): Option {
  return new Option('-o, --output <form>', 'how to print').choices([...forms]).default(forms[0]);
}

/** Which cluster a command asks. */
export interface ClientOptions extends TlsOptions {
  readonly addr?: string;
  readonly data?: string;
  readonly timeout: number;
}

export function withClientOptions(command: Command): Command {
  const asking = command
    .option('--addr <host:port,...>', 'nodes to ask (HOLDFAST_ADDR; default 127.0.0.1:7400)')
    .addOption(new Option('--data <dir>', 'the data folder of a dev cluster').conflicts('addr'))
    .addOption(durationOption('--timeout <duration>', 'how long to wait for an answer', '5s'));
  return withTlsOptions(asking).option('--no-color', 'no colours (NO_COLOR)');
}

/** The default as the option takes it: help shows it. */
export function durationOption(flags: string, description: string, byDefault: string): Option {
  return new Option(flags, description).argParser(parseDurationMs).default(parseDurationMs(byDefault), byDefault);
}

const durationUnitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Of a timer: a longer one would go off at once. */
const durationMsMax = 2 ** 31 - 1;

/** Milliseconds of `30s`; a bare number is refused: 30 of what? */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('A duration with its unit is wanted, such as 500ms, 30s or 2m.');
  const durationMs = Number(match[1]) * durationUnitMs[match[2]!]!;
  if (durationMs > durationMsMax) throw new InvalidArgumentError('At most 24 days (576h) are wanted.');
  return durationMs;
}

/** A whole number from `min` to `max`; 1_000 and 1,000 are not, 1e6 is not. */
export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
  };
}
