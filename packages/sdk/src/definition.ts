import type { JobRecord, KeyLocator } from '@holdfast/processor';
import type { HandlerContext, QueryContext } from './handler-context.ts';
import type { Dead, RecordReader, Skip } from './record-reader.ts';
import type { Schema } from './schema.ts';

/** A key as an author names it; null or undefined: the record has none and is skipped. */
export type KeyValue = string | Uint8Array | null | undefined;

/**
 * JSON records with a schema: the general form, and the slow one, since the ingest parses and checks each record too,
 * to find its key. With `locateKey` it need not.
 */
export interface SchemaInput<T> {
  topic: string;
  schema: Schema<T>;
  key: (event: T) => KeyValue;
  locateKey?: (topic: string) => KeyLocator;
  /** Event time in Unix milliseconds. */
  time?: (event: T) => number;
  parse?: never;
  read?: never;
}

/**
 * Records in another format. Without `locateKey` the ingest parses too. Name the types of `parse`'s parameters
 * (`bytes: Uint8Array, start: number`): the compiler can't infer the event from it otherwise.
 */
export interface ParseInput<T> {
  topic: string;
  /** A throw is a dead letter. The bytes are valid during the call only. */
  parse: (bytes: Uint8Array, start: number, end: number, record: JobRecord) => T | Skip | Dead;
  key: (event: T) => KeyValue;
  locateKey?: (topic: string) => KeyLocator;
  time?: (event: T) => number;
  schema?: never;
  read?: never;
}

/** Records read by hand-written code: the fast form. */
export interface ReadInput<T> {
  topic: string;
  read: RecordReader<T>;
  time?: (event: T) => number;
  schema?: never;
  parse?: never;
  key?: never;
  locateKey?: never;
}

export type InputSpec<T> = SchemaInput<T> | ParseInput<T> | ReadInput<T>;

export interface OutputSpec<T> {
  topic: string;
  /** Checks what is emitted; what it returns is published. A value that doesn't fit is an error of the handler. */
  schema?: Schema<T>;
  /** Partitioning key of the published record; without it, none. */
  key?: (value: T) => string | Uint8Array | null;
  /** The bytes to publish, which are copied at once; JSON without it. What is no Uint8Array is an error of the handler. */
  encode?: (value: T) => Uint8Array;
}

/** An author's own form of the stored state. The version travels beside it. */
export interface StateCodec<S> {
  encode: (state: S) => Uint8Array;
  /** Gives the state as it was in `version`; upgrade steps run after it. The bytes are valid during the call only. */
  // biome-ignore lint/suspicious/noExplicitAny: an older version's state has a type of its own
  decode: (bytes: Uint8Array, version: number) => S | any;
}

export interface StateSpec<S> {
  /** A positive integer, one higher with each change of the state's form. */
  version: number;
  /** A fresh state: an object, array, Map or Set of plain data. */
  initial: () => S;
  /** Step n turns a state of version n into one of version n + 1. */
  // biome-ignore lint/suspicious/noExplicitAny: an older version's state has a type of its own
  upgrade?: { readonly [from: number]: (old: any) => unknown };
  /** Without records for so long, a key is backed up and its memory freed. */
  idle: string;
  codec?: StateCodec<NoInfer<S>>;
  /**
   * `copy` (default): the state is copied before each record and put back when the handler throws.
   * `none`: the author promises that the handler throws only before it changes the state; tests check the promise.
   */
  undo?: 'copy' | 'none';
  /** Limit of a stored state; default 1 MiB. */
  bytesMax?: number;
}

export interface ErrorPolicy {
  /** Further attempts, at once. */
  retry?: { times: number };
  /**
   * `stop`: the node ends with an error that names the record, and so does each node that takes its user over, until a
   * version of the job that can apply it is started. Nothing is made a dead letter, and nobody is quarantined.
   * Default: `dead-letter`.
   */
  then?: 'dead-letter' | 'skip' | 'stop';
}

export type EventHandlers<I, O, S, P> = {
  readonly [K in keyof I]: (event: I[K], ctx: HandlerContext<S, O, P>) => void;
};

export type Queries<S, P> = Readonly<Record<string, (ctx: QueryContext<S, P>) => unknown>>;

/** The params of a job that declares none. */
export type NoParams = Readonly<Record<never, never>>;

/** A job as its author writes it. All types come from the literal. */
export interface ProcessorDefinition<I, O, S, P, Q> {
  /** Lower-case letters, digits, dashes: part of ids, metrics, commands. */
  name: string;
  version: string;
  input: { readonly [K in keyof I]: InputSpec<I[K]> };
  output?: { readonly [K in keyof O]: OutputSpec<O[K]> };
  state: StateSpec<S>;
  /** Settings that an operator may change; a schema with defaults. */
  params?: Schema<P>;
  // NoInfer: a handler without parameters would otherwise make every record `unknown`.
  onEvent: EventHandlers<NoInfer<I>, NoInfer<O>, NoInfer<S>, NoInfer<P>>;
  query?: Q;
  onError?: ErrorPolicy;
  /**
   * What an operator sees of a key's state, as JSON (bigints as texts, Maps and Sets as objects and lists, bytes in hex);
   * default the state itself. It gets a copy, which is frozen in tests.
   */
  view?: (state: NoInfer<S>, key: string) => unknown;
}
