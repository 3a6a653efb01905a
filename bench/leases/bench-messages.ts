import type { FromShard, ToShard } from '@holdfast/engine';

/** What a process of the benchmark is told at its start. */
export interface LeaseNodeSetup {
  readonly nodeId: string;
  readonly voters: readonly string[];
  /** The Raft log's folder: kept over a restart. */
  readonly dir: string;
  readonly counter: number;
  readonly sessionTtlMs: number;
  /** A snapshot after so many entries. */
  readonly snapshotEntries: number;
  /** The table's capacity; null: as by default. */
  readonly unitsMax: number | null;
}

/** Asks a process or its shard for something; one answer each, by number. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

export type ToAskingShard = ToShard | ({ readonly kind: 'request' } & Request);
export type FromAskingShard = FromShard | ({ readonly kind: 'reply' } & Reply);

export interface NodeState {
  readonly isLeader: boolean;
  readonly leader: string | null;
  readonly session: number;
  readonly sessions: readonly { readonly nodeId: string; readonly session: number }[];
  readonly units: number;
  /** The most that there were at once. */
  readonly unitsMost: number;
  readonly tableIndex: number;
  readonly tableBytes: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** The longest that the control thread's loop stood still since `resetLoop`, and its own work in such a time. */
  readonly loopStopMsMax: number;
  readonly loopBusyMsMax: number;
  readonly snapshots: number;
  readonly uncleanCount: number;
}

/** Units asked for in a row, each counted when the asker read it in its own table. */
export interface AskResult {
  readonly granted: number;
  readonly seconds: number;
  /** Asked again, for want of an answer. */
  readonly repeated: number;
}

/** Latencies of single new keys, in milliseconds. */
export interface SteadyResult {
  readonly granted: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late the generator itself came at worst. */
  readonly lateMsMax: number;
}

/** Unit number i of the benchmark, as its halves. */
export function unitHi(i: number): number {
  return mix(Math.imul(i, 2) + 1);
}

export function unitLo(i: number): number {
  return mix(Math.imul(i, 2) ^ 0x5bd1e995);
}

function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
