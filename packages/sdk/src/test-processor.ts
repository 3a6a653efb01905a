import { decodeUtf8, encodeUtf8 } from '@holdfast/model';
import type { Verdict } from '@holdfast/processor';
import { type CompiledJob, compileProcessor } from './compile-processor.ts';
import type { Processor } from './define-processor.ts';
import { parseDuration } from './duration.ts';
import { withForbiddenCalls } from './forbidden-calls.ts';
import type { HandlerLog } from './handler-context.ts';
import { TestKey, type TestRecord } from './test-key.ts';

export interface TestOptions<P> {
  /** Where the test's clock begins: ISO 8601, or Unix milliseconds. Default 2026-01-01. */
  start?: string | number;
  params?: { readonly [K in keyof P]?: P[K] };
  /** Simulated time between backups; default 30s, as in a node. */
  backupEvery?: string;
  /** Where `ctx.log` goes; default nowhere. */
  log?: HandlerLog;
}

export interface PipeOptions {
  /** Default 0. */
  partition?: number;
  /** The key to hand the record to, instead of the one that its locator finds. */
  key?: string;
}

/** What became of a record. `key` is undefined when the ingest found none. */
export interface PipeResult {
  readonly verdict: Verdict;
  readonly key: string | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Of a record that wasn't applied: a short code. */
  readonly reason: string;
}

/** A record that changed no state. */
export interface RefusedRecord {
  readonly input: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly error: unknown;
  readonly bytes: Uint8Array;
}

/** A published record. `value` is parsed JSON; the bytes themselves when the output has an `encode`. */
export interface SentRecord {
  readonly output: string;
  readonly topic: string;
  readonly key: string | null;
  readonly id: string;
  readonly value: unknown;
}

export interface TestProcessor<I, O, S, Q> {
  /** One function per input: a value becomes JSON, bytes go as they are, null is a record without value. */
  readonly pipe: { readonly [K in keyof I]: (value: unknown, options?: PipeOptions) => PipeResult };
  /** Distinct outputs by name, in order: repeats with a known id are left out. */
  readonly outputs: { readonly [K in keyof O]: O[K][] };
  /** All that was published, repeats too. */
  readonly sent: readonly SentRecord[];
  readonly deadLetters: readonly RefusedRecord[];
  readonly skipped: readonly RefusedRecord[];
  /** One function per query; the state it sees is frozen. Undefined for a key without state. */
  readonly query: { readonly [K in keyof Q]: (key: string) => QueryResult<Q[K]> | undefined };
  now(): number;
  /** Moves the clock: backups fall due, idle keys are released. */
  advance(duration: string): void;
  /** A copy of the state; undefined for a key without records. */
  state(key: string): S | undefined;
  /** What an operator would see; the state that the job's `view` gets is frozen. */
  view(key: string): unknown;
  /** Planned change of holder: encode, decode, a new epoch. */
  handover(key: string): void;
  /** Loss of the holder: the last backup, and the records since, again; with `replay`, so many older ones before them. */
  crash(key: string, options?: { replay?: number }): void;
  backup(key: string): void;
}

// biome-ignore lint/suspicious/noExplicitAny: any query's result
type QueryResult<F> = F extends (...args: any[]) => infer R ? R : never;

/**
 * Runs a job in this process, without a cluster: same parsing, same handlers, same codec. Stricter than production:
 * forbidden calls throw, the state is checked for plain data after each record, stored states must read back the same,
 * and a replay that publishes something else under a known id fails the test.
 * @throws DefinitionError on wrong params
 */
export function testProcessor<I, O, S, P, Q>(
  processor: Processor<I, O, S, P, Q>,
  options: TestOptions<P> = {},
): TestProcessor<I, O, S, Q> {
  const compileOptions = {
    ...(options.params === undefined ? {} : { params: options.params }),
    ...(options.log === undefined ? {} : { log: options.log }),
  };
  const harness = new Harness<S>(compileProcessor(processor, compileOptions), processor as never, options);
  return harness as unknown as TestProcessor<I, O, S, Q>;
}

class Harness<S> {
  readonly pipe: Record<string, (value: unknown, options?: PipeOptions) => PipeResult> = {};
  readonly outputs: Record<string, unknown[]> = {};
  readonly sent: SentRecord[] = [];
  readonly deadLetters: RefusedRecord[] = [];
  readonly skipped: RefusedRecord[] = [];
  readonly query: Record<string, (key: string) => unknown> = {};
  readonly #job: CompiledJob<S>;
  readonly #view: ((state: S, key: string) => unknown) | undefined;
  readonly #undoNone: boolean;
  readonly #plain: boolean;
  readonly #outputNames = new Map<string, { name: string; json: boolean }>();
  readonly #bytesById = new Map<string, string>();
  readonly #keys = new Map<string, TestKey<S>>();
  readonly #offsets = new Map<string, number>();
  readonly #refusedAt = new Set<string>();
  readonly #backupEveryMs: number;
  #nowUnixMs: number;
  #lastBackupUnixMs: number;
  #epoch = 1;

  // biome-ignore lint/suspicious/noExplicitAny: inside, the types of one job are not known
  constructor(job: CompiledJob<S>, processor: Processor<any, any, S, any, any>, options: TestOptions<unknown>) {
    this.#job = job;
    const { definition } = processor;
    this.#view = definition.view;
    this.#plain = definition.state.codec === undefined;
    this.#undoNone = definition.state.undo === 'none';
    const start = options.start ?? '2026-01-01T00:00:00Z';
    this.#nowUnixMs = typeof start === 'number' ? start : Date.parse(start);
    if (!Number.isFinite(this.#nowUnixMs)) throw new RangeError(`start: '${start}' is no ISO 8601 time`);
    this.#lastBackupUnixMs = this.#nowUnixMs;
    this.#backupEveryMs = parseDuration(options.backupEvery ?? '30s');
    for (const name of Object.keys(definition.input)) {
      this.pipe[name] = (value, pipeOptions) =>
        this.#pipe(name, definition.input[name]!.topic, value, pipeOptions ?? {});
    }
    for (const [name, spec] of Object.entries(definition.output ?? {})) {
      const { topic, encode } = spec as { topic: string; encode?: unknown };
      this.outputs[name] = [];
      this.#outputNames.set(topic, { name, json: encode === undefined });
    }
    for (const name of job.queries) this.query[name] = (key) => this.#query(name, key);
  }

  now(): number {
    return this.#nowUnixMs;
  }

  advance(duration: string): void {
    this.#nowUnixMs += parseDuration(duration);
    if (this.#nowUnixMs - this.#lastBackupUnixMs >= this.#backupEveryMs) {
      for (const key of this.#keys.values()) key.backup();
      this.#lastBackupUnixMs = this.#nowUnixMs;
    }
    for (const key of this.#keys.values()) {
      if (this.#nowUnixMs - key.lastRecordUnixMs > this.#job.idleMs) key.release();
    }
  }

  state(key: string): S | undefined {
    return this.#keys.get(key)?.copy();
  }

  view(key: string): unknown {
    const found = this.#keys.get(key);
    if (found === undefined) return undefined;
    const state = found.copy();
    return this.#view === undefined ? state : this.#view(deepFreeze(state) as S, key);
  }

  backup(key: string): void {
    this.#known(key).backup();
  }

  handover(key: string): void {
    const found = this.#known(key);
    this.#epoch++;
    found.release();
    found.open();
  }

  crash(key: string, options: { replay?: number } = {}): void {
    const found = this.#known(key);
    this.#epoch++;
    for (const record of found.crash(options.replay ?? 0)) this.#apply(found, record);
  }

  #known(key: string): TestKey<S> {
    const found = this.#keys.get(key);
    if (found === undefined) throw new RangeError(`no record has reached key '${key}'`);
    return found;
  }

  #query(name: string, key: string): unknown {
    const found = this.#keys.get(key);
    if (found === undefined) return undefined;
    const state = deepFreeze(found.copy()) as S;
    return withForbiddenCalls(() => this.#job.query(name, state, found.keyBytes));
  }

  #pipe(input: string, topic: string, value: unknown, options: PipeOptions): PipeResult {
    const partition = options.partition ?? 0;
    const bytes =
      value === null ? new Uint8Array(0) : value instanceof Uint8Array ? value : encodeUtf8(jsonOf(input, value));
    const at = `${topic}/${partition}`;
    const offset = this.#offsets.get(at) ?? 0;
    this.#offsets.set(at, offset + 1);
    const record: TestRecord = {
      input,
      topic,
      partition,
      offset,
      timestampUnixMs: this.#nowUnixMs,
      bytes,
      valueStart: value === null ? -1 : 0,
      valueEnd: value === null ? -1 : bytes.length,
    };
    const located = options.key === undefined ? this.#locate(record) : encodeUtf8(options.key);
    if (!(located instanceof Uint8Array)) return this.#result(record, located.verdict, undefined, located.reason);
    const name = keyName(located);
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, (key = new TestKey(this.#job, name, located, this.#plain)));
    const verdict = this.#apply(key, record);
    key.lastRecordUnixMs = this.#nowUnixMs;
    return this.#result(record, verdict, name, verdict === 'applied' ? '' : this.#job.failureReason);
  }

  /** The key, as the ingest finds it; else why there is none. */
  #locate(record: TestRecord): Uint8Array | { verdict: 'skipped' | 'dead'; reason: string } {
    const locator = this.#job.newKeyLocator(record.topic);
    const found = withForbiddenCalls(() => locator.locate(record.bytes, record.valueStart, record.valueEnd));
    if (found === 0) return locator.keyBytes.slice(locator.keyStart, locator.keyEnd);
    const verdict = found === 1 ? 'skipped' : 'dead';
    this.#refuse(record, verdict, locator.reason, '', undefined);
    return { verdict, reason: locator.reason };
  }

  #apply(key: TestKey<S>, record: TestRecord): Verdict {
    const state = key.open();
    if (!key.accept(record)) return 'skipped';
    const before = this.#undoNone ? this.#job.encodeState(state) : undefined;
    this.#job.leaseEpoch = this.#epoch;
    const verdict = withForbiddenCalls(() => this.#job.apply(state, key.keyBytes, record, { emit: this.#emit }));
    if (verdict !== 'applied') {
      this.#refuse(record, verdict, this.#job.failureReason, this.#job.failureDetail, this.#job.failureError);
      if (before !== undefined) key.checkUntouched(before, record);
    }
    key.checkPlain(record);
    return verdict;
  }

  readonly #emit = (topic: string, key: Uint8Array | null, value: Uint8Array, id: string): void => {
    const { name, json } = this.#outputNames.get(topic)!;
    const parsed: unknown = json ? JSON.parse(decodeUtf8(value)!) : value;
    this.sent.push({ output: name, topic, key: key === null ? null : keyName(key), id, value: parsed });
    const fingerprint = `${topic} ${key === null ? '' : keyName(key)} ${value.join()}`;
    const known = this.#bytesById.get(id);
    if (known === undefined) {
      this.#bytesById.set(id, fingerprint);
      this.outputs[name]!.push(parsed);
    } else if (known !== fingerprint) {
      throw new Error(`a replay published another record under the id ${id}: the handler is not deterministic`);
    }
  };

  #refuse(record: TestRecord, verdict: 'skipped' | 'dead', reason: string, detail: string, error: unknown): void {
    // A replay refuses the record again; there is still one dead letter.
    const at = `${record.topic}/${record.partition}/${record.offset}`;
    if (this.#refusedAt.has(at)) return;
    this.#refusedAt.add(at);
    const { input, topic, partition, offset, bytes } = record;
    const refused = { input, topic, partition, offset, reason, detail, error, bytes };
    (verdict === 'dead' ? this.deadLetters : this.skipped).push(refused);
  }

  #result(record: TestRecord, verdict: Verdict, key: string | undefined, reason: string): PipeResult {
    return { verdict, key, topic: record.topic, partition: record.partition, offset: record.offset, reason };
  }
}

function jsonOf(input: string, value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`pipe.${input}: ${typeof value} has no JSON`);
  return text;
}

function keyName(key: Uint8Array): string {
  return decodeUtf8(key) ?? `0x${Array.from(key, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/** Maps and Sets can't be frozen; their changers are shut instead. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Map || value instanceof Set) {
    for (const item of value instanceof Map ? [...value.keys(), ...value.values()] : value) deepFreeze(item);
    const refuse = (): never => {
      throw new TypeError('a query or view reads the state, it cannot change it');
    };
    for (const name of ['set', 'add', 'delete', 'clear']) Object.defineProperty(value, name, { value: refuse });
    return value;
  }
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
