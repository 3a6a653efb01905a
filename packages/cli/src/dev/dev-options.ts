import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { usage } from '../cli-error.ts';
import { checkInput } from '../feed/check-input.ts';

/** The command line of `dev`, as commander hands it over. */
export interface DevFlags {
  readonly nodes?: number;
  readonly generate?: boolean;
  readonly input?: string;
  readonly mapping?: string;
  readonly once?: boolean;
  readonly records?: number;
  readonly data?: string;
  readonly partitions?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly users?: number;
  readonly shards?: number;
  readonly backupInterval?: number;
  readonly output: 'text' | 'json';
}

export interface GeneratePlan {
  readonly kind: 'generate';
  /** Null: until the end. */
  readonly records: number | null;
  /** Per second; null: as fast as they are written. */
  readonly rate: number | null;
  readonly seed: number;
  readonly users: number;
}

export type FeedPlan =
  | GeneratePlan
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'none' };

export interface DevPlan {
  /** Null: as many as the folder has, else three. */
  readonly nodes: number | null;
  readonly feed: FeedPlan;
  /** Built-in name or file. */
  readonly mapping: string;
  readonly once: boolean;
  /** Null: a folder of its own, removed at the end. */
  readonly data: string | null;
  /** Null: as the topic has, else four. */
  readonly partitions: number | null;
  readonly shards: number;
  readonly backupIntervalMs: number;
  readonly json: boolean;
}

const recordsDefault = 100_000;
const usersDefault = 20_000;
const rateDefault = 1_000;
/** A run that has an end shouldn't wait half a minute for it; each round costs a write per changed user. */
const onceBackupIntervalMs = 5_000;
const backupIntervalMs = 30_000;

/**
 * What `dev` shall do. @throws CliError for flags that don't go together and for input that can't be read
 */
export function planDev(flags: DevFlags, cwd: string): DevPlan {
  const once = flags.once === true;
  if (flags.generate === true && flags.input !== undefined) throw usage('--generate and --input: one of them');
  for (const name of ['records', 'rate', 'seed', 'users'] as const) {
    if (flags[name] !== undefined && flags.generate !== true) throw usage(`--${name} goes with --generate`);
  }
  if (flags.mapping !== undefined && flags.input === undefined) throw usage('--mapping goes with --input');
  if (once && flags.generate !== true && flags.input === undefined)
    throw usage('--once needs --generate or --input FILE');
  if (!once && flags.output === 'json') throw usage('--output json goes with --once');
  return {
    nodes: flags.nodes ?? null,
    feed: planFeed(flags, once, cwd),
    mapping: flags.mapping ?? 'holdfast',
    once,
    data: flags.data === undefined ? null : resolve(cwd, flags.data),
    partitions: flags.partitions ?? null,
    shards: flags.shards ?? shardsPerNode(flags.nodes ?? 3),
    backupIntervalMs: flags.backupInterval ?? (once ? onceBackupIntervalMs : backupIntervalMs),
    json: flags.output === 'json',
  };
}

/** The nodes share this machine's cores. */
function shardsPerNode(nodes: number): number {
  return Math.max(1, Math.floor((availableParallelism() - 1) / nodes));
}

function planFeed(flags: DevFlags, once: boolean, cwd: string): FeedPlan {
  if (flags.input === '-') return { kind: 'stdin' };
  if (flags.input !== undefined) return { kind: 'file', path: checkInput(flags.input, cwd) };
  if (flags.generate !== true) return { kind: 'none' };
  const records = flags.records ?? (once ? recordsDefault : null);
  const usersFor = records === null ? usersDefault : Math.min(usersDefault, Math.max(100, Math.ceil(records / 10)));
  return {
    kind: 'generate',
    records,
    rate: flags.rate ?? (once ? null : rateDefault),
    seed: flags.seed ?? 1,
    users: flags.users ?? usersFor,
  };
}
