/**
 * What a run's history consists of: one JSON line per event, a file per thread. `t` is CLOCK_MONOTONIC in microseconds,
 * which all processes of the machine share. A call has two lines, before and after, with one `id`; a process that dies in
 * between leaves the first alone.
 */
export type HistoryEvent =
  /** A batch of records, before it is appended to the input; `first` follows in the line after. */
  | Called<
      'produce',
      { readonly partition: number; readonly records: readonly ProducedLine[] },
      { readonly first: number }
    >
  /** A shard learns of its session. */
  | (At & { readonly k: 'session'; readonly session: number; readonly shard: number })
  /** The job of a shard is about to change a state. */
  | (At & ApplyLine)
  | Called<
      'claim',
      { readonly generation: string; readonly claims: readonly ClaimLine[] },
      { readonly code: 'OK' | 'GENERATION'; readonly results: readonly ClaimResultLine[] }
    >
  | Called<
      'backup',
      { readonly generation: string; readonly rows: readonly RowLine[] },
      { readonly code: 'OK' | 'GENERATION'; readonly results: readonly RowResultLine[] }
    >
  | Called<
      'mark',
      { readonly generation: string; readonly marks: readonly MarkLine[] },
      { readonly code: 'OK' | 'GENERATION' }
    >
  | Called<'commit', { readonly commits: readonly CommitLine[] }, { readonly results: readonly ('ok' | 'fenced')[] }>
  /** Outputs and dead letters. */
  | Called<'append', { readonly topic: string; readonly records: readonly OutputLine[] }, { readonly first: number }>
  /** A node applies a committed entry of the lease log. */
  | (At & {
      readonly k: 'entry';
      readonly node: string;
      readonly index: number;
      readonly term: number;
      readonly data: string;
    })
  /** A Raft message that tells something new of terms, votes or leaders, just before it leaves. */
  | (At & { readonly k: 'raft'; readonly message: RaftLine })
  /** A holder's shard reports records durable to another shard, by its table up to this entry. */
  | (At & { readonly k: 'report'; readonly session: number; readonly shard: number; readonly tableIndex: number })
  /** A record stream that a shard had opened to another one is over. */
  | (At & { readonly k: 'streamEnd'; readonly session: number; readonly shard: number; readonly reason: string })
  /** Levels of a shard's queues, and the memory of its process. */
  | (At & { readonly k: 'levels'; readonly rssBytes: number; readonly levels: Readonly<Record<string, number>> })
  /** What the harness did to the cluster. */
  | (At & { readonly k: 'fault'; readonly text: string });

interface At {
  readonly t: number;
}

type Called<K extends string, Arguments, Result> =
  | (At & Arguments & { readonly k: K; readonly id: number })
  | (At & Result & { readonly k: `${K}Done`; readonly id: number })
  | (At & { readonly k: `${K}Failed`; readonly id: number; readonly error: string });

/** Kind, key in hex (null: no user), amount, record in base64 (null: a tombstone). */
export type ProducedLine = readonly [kind: string, key: string | null, amount: number, value: string | null];
export type ClaimLine = readonly [hi: number, lo: number, epoch: number];
/** Row in base64; null for none. Refused: the epoch that is stored. */
export type ClaimResultLine =
  | readonly ['OK', row: string | null]
  | readonly ['FENCED', epoch: number]
  | readonly ['CORRUPT', problem: string];
export type RowLine = readonly [hi: number, lo: number, epoch: number, seq: number, row: string];
export type RowResultLine =
  | readonly ['OK' | 'STALE']
  | readonly ['FENCED', epoch: number]
  | readonly ['CORRUPT', problem: string];
export type MarkLine = readonly [bucket: number, topicId: string, partition: number, offset: number];
export type CommitLine = readonly [
  topicId: string,
  partition: number,
  offset: number,
  generationId: string,
  fence: number,
];
/** A dead letter has a reason, and no value here. */
export type OutputLine = readonly [id: string, value: string | null, reason?: string];

/** State of the user before the record, as far as checkers ask for it. */
export interface ApplyLine {
  readonly k: 'apply';
  /** Key in hex. */
  readonly u: string;
  readonly p: number;
  readonly o: number;
  readonly count: number;
  readonly print: number | null;
  readonly order: number;
  readonly owner: string;
}

export interface RaftLine {
  readonly type: string;
  readonly from: string;
  readonly to: string;
  readonly term: number;
  readonly granted?: boolean;
}
