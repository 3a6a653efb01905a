import type { LogFields } from '@holdfast/model';

/** Lines about what a handler does. Never contents of records, never user ids: both stay out of logs. */
export interface HandlerLog {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

/** What a handler knows about its record. One object, reused: keep nothing of it after the handler returns. */
export interface HandlerContext<S, O, P> {
  /** The key as text. Throws when the key bytes aren't UTF-8: use `keyBytes` then. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** Event time in Unix milliseconds: what the input's `time` says, else the append time, NaN when the log has none. */
  readonly now: number;
  /** The state of the key: change it in place. */
  readonly state: S;
  /** One function per output. Published together with the state change, or not at all. */
  readonly emit: { readonly [K in keyof O]: (value: O[K]) => void };
  readonly params: P;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Fencing token of the lease under which the record is applied. Decide nothing by it: a replay has another. */
  readonly epoch: number;
  /**
   * `job/version/topic/partition/offset/n`: the id that the next emit of this handler will carry, the same on every replay.
   * With a label, `…/offset/label` instead: another id per label.
   */
  id(label?: string): string;
  /** In [0, 1), the same numbers whenever this record is processed. */
  random(): number;
  readonly log: HandlerLog;
}

/** Read-only, all the way down. */
export type DeepReadonly<T> = T extends Uint8Array | ((...args: never[]) => unknown)
  ? T
  : T extends Map<infer K, infer V>
    ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
    : T extends Set<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends object
        ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
        : T;

/** What a query sees. */
export interface QueryContext<S, P> {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly state: DeepReadonly<S>;
  readonly params: P;
}
