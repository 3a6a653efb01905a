import { decodeUtf8, encodeUtf8, silentLogger, thrownText } from '@holdfast/model';
import type { Job, JobRecord, KeyLocator, OutputSink, Verdict } from '@holdfast/processor';
import { show, topicExpected, topicPattern } from './check-definition.ts';
import { cloneState, restoreState } from './clone-state.ts';
import { type CompiledInput, compileInput } from './compiled-input.ts';
import type { Processor } from './define-processor.ts';
import type { InputSpec, OutputSpec, ProcessorDefinition } from './definition.ts';
import { DefinitionError, JobStopError, type Problem } from './errors.ts';
import type { HandlerLog, QueryContext } from './handler-context.ts';
import { nearestName } from './nearest-name.ts';
import { type EncodeText, RecordContext } from './record-context.ts';
import { listSchemaIssues } from './schema.ts';
import { StateStore } from './state-codec.ts';
import type { DecodeText } from './state-decoder.ts';
import { hexText, viewJson } from './view-json.ts';

/** What a deployment decides about a job. */
export interface CompileOptions<I = unknown, O = unknown, P = unknown> {
  /** Topics in place of those of the definition, by input name. */
  topics?: { readonly [K in keyof I]?: string };
  /** The same, by output name. */
  outputTopics?: { readonly [K in keyof O]?: string };
  params?: { readonly [K in keyof P]?: P[K] };
  /** Bytes to text, null when they aren't UTF-8. Default: the model's, in plain JavaScript; a node has a faster one. */
  decodeText?: DecodeText;
  /** Text to UTF-8, with the same default. */
  encodeText?: EncodeText;
  /** Where `ctx.log` goes; default nowhere. */
  log?: HandlerLog;
  /** Overrides `state.bytesMax`. */
  stateBytesMax?: number;
}

/** A job for the record path, and what beside it a node needs to know. */
export interface CompiledJob<S = unknown> extends Job<S> {
  readonly params: unknown;
  /** Of the last 'skipped' or 'dead' verdict: what people want to know beside the reason; may be empty. */
  failureDetail: string;
  /** Of the last 'dead' or 'skipped' verdict by a throw: the error itself, else undefined. */
  failureError: unknown;
  /** What `ctx.epoch` shows. */
  leaseEpoch: number;
  readonly queries: readonly string[];
  /** Answers a query between two records. @throws RangeError on an unknown name */
  query(name: string, state: S, key: Uint8Array): unknown;
}

/**
 * Compiles a job to the record path.
 * `apply` throws a JobStopError when the job must stop, a StateError when the state itself is at fault.
 * @throws DefinitionError with all problems of the options
 */
export function compileProcessor<I, O, S, P, Q>(
  processor: Processor<I, O, S, P, Q>,
  options: CompileOptions<I, O, P> = {},
): CompiledJob<S> {
  return new ProcessorJob<S>(processor as Processor<never, never, S, never, never>, options as CompileOptions);
}

// biome-ignore lint/suspicious/noExplicitAny: inside, the types of one job are not known
type AnyDefinition<S> = ProcessorDefinition<any, any, S, any, any>;
type AnyInput = { readonly [name: string]: InputSpec<unknown> };
type AnyOutput = { readonly [name: string]: OutputSpec<unknown> };
type Handler = (event: unknown, ctx: RecordContext) => unknown;

interface CompiledHandler {
  readonly input: CompiledInput;
  readonly handle: Handler;
  readonly time: ((event: unknown) => number) | undefined;
}

class ProcessorJob<S> implements CompiledJob<S> {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly idleMs: number;
  readonly params: unknown;
  readonly queries: readonly string[];
  failureReason = '';
  failureDetail = '';
  failureError: unknown = undefined;

  readonly #definition: AnyDefinition<S>;
  readonly #store: StateStore<S>;
  readonly #context: RecordContext;
  readonly #handlers = new Map<string, CompiledHandler>();
  readonly #decodeText: DecodeText;
  readonly #copies: boolean;
  readonly #retryTimes: number;
  readonly #then: 'dead-letter' | 'skip' | 'stop';
  /** The handler of the last record: nearly always the next one's, too. */
  #lastHandler: CompiledHandler | null = null;

  constructor(processor: Processor<never, never, S, never, never>, options: CompileOptions) {
    const definition = processor.definition as unknown as AnyDefinition<S>;
    this.#definition = definition;
    this.name = processor.name;
    this.version = processor.version;
    this.idleMs = processor.idleMs;
    const inputs = definition.input as AnyInput;
    const outputs = (definition.output ?? {}) as AnyOutput;
    const problems: Problem[] = [];
    const topics = readTopics(problems, 'topics', inputs, options.topics ?? {});
    const outputTopics = readTopics(problems, 'outputTopics', outputs, options.outputTopics ?? {});
    if (new Set(topics.values()).size < topics.size) {
      problems.push({ path: 'topics', value: 'one topic twice', expected: 'another topic for each input' });
    }
    this.params = readParams(problems, definition, options.params);
    if (problems.length > 0) throw new DefinitionError(`options of processor '${this.name}'`, problems);

    this.#decodeText = options.decodeText ?? decodeUtf8;
    for (const [name, spec] of Object.entries(inputs)) {
      const input = compileInput(name, topics.get(name)!, spec, this.#decodeText);
      const handle = (definition.onEvent as Record<string, Handler>)[name]!;
      this.#handlers.set(input.topic, { input, handle, time: spec.time });
    }
    this.inputs = [...topics.values()];
    this.outputs = [...new Set(outputTopics.values())];
    this.#context = new RecordContext(
      this,
      Object.entries(outputs).map(([name, spec]) => ({ name, topic: outputTopics.get(name)!, spec })),
      this.params,
      options.log ?? silentLogger,
      options.encodeText ?? encodeUtf8,
    );
    this.#store = new StateStore<S>(definition.state, this.#decodeText, options.stateBytesMax);
    this.#copies = definition.state.undo !== 'none';
    this.#retryTimes = definition.onError?.retry?.times ?? 0;
    this.#then = definition.onError?.then ?? 'dead-letter';
    this.queries = Object.keys((definition.query as object | undefined) ?? {});
  }

  get leaseEpoch(): number {
    return this.#context.epoch;
  }

  set leaseEpoch(value: number) {
    this.#context.epoch = value;
  }

  newKeyLocator(topic: string): KeyLocator {
    return this.#handlerOf(topic).input.newKeyLocator();
  }

  initialState(_key: Uint8Array): S {
    return this.#definition.state.initial();
  }

  encodeState(state: S): Uint8Array {
    return this.#store.encode(state);
  }

  decodeState(bytes: Uint8Array): S {
    return this.#store.decode(bytes);
  }

  apply(state: S, key: Uint8Array, record: JobRecord, out: OutputSink): Verdict {
    const handler = this.#handlerOf(record.topic);
    let undo: S | undefined;
    for (let attempt = 0; ; attempt++) {
      // Parsed anew for each attempt: the handler may have changed the event before it threw.
      const { input } = handler;
      const outcome = input.parse(record);
      if (outcome !== 0) return this.#fail(outcome === 1 ? 'skipped' : 'dead', input.reason, input.detail, undefined);
      const now = this.#eventTime(handler, record);
      if (Number.isNaN(now) && handler.time !== undefined) {
        return this.#fail('dead', 'no-time', "the input's time gave no number", undefined);
      }
      if (attempt === 0 && this.#copies) undo = cloneState(state);
      const { handle } = handler;
      let result: unknown;
      try {
        this.#context.begin(state, key, record, now);
        result = handle(input.value, this.#context);
      } catch (error) {
        this.#context.end();
        this.#context.discard();
        const again = attempt < this.#retryTimes;
        if (undo !== undefined) {
          restoreState(state as object, undo as object);
          if (again) undo = cloneState(state);
        }
        if (again) continue;
        return this.#handlerFailed(error, input.name, record);
      }
      this.#context.end();
      if (isThenable(result)) this.#refuseAsync(result, input.name, record, state, undo);
      this.#context.flush(out);
      return 'applied';
    }
  }

  view(state: S, key: Uint8Array): unknown {
    const { view } = this.#definition;
    // The author's gets a copy: what it changed would be in the state of no record.
    return viewJson(view === undefined ? state : view(this.#copyOf(state), this.#keyText(key)));
  }

  query(name: string, state: S, key: Uint8Array): unknown {
    const query = this.queries.includes(name)
      ? (this.#definition.query as Record<string, (ctx: QueryContext<S, unknown>) => unknown>)[name]
      : undefined;
    if (query === undefined)
      throw new RangeError(`job '${this.name}' has no query '${name}': ${this.queries.join(', ')}`);
    return query({ key: this.#keyText(key), keyBytes: key, state: state as never, params: this.params });
  }

  #copyOf(state: S): S {
    return this.#definition.state.codec === undefined ? cloneState(state) : this.decodeState(this.encodeState(state));
  }

  #handlerOf(topic: string): CompiledHandler {
    if (this.#lastHandler !== null && this.#lastHandler.input.topic === topic) return this.#lastHandler;
    const handler = this.#handlers.get(topic);
    if (handler === undefined) throw new RangeError(`job '${this.name}' has no input topic '${topic}'`);
    this.#lastHandler = handler;
    return handler;
  }

  /** NaN: there is none. */
  #eventTime(handler: CompiledHandler, record: JobRecord): number {
    if (handler.time === undefined) return record.timestampUnixMs;
    try {
      const time = handler.time(handler.input.value);
      return Number.isFinite(time) ? time : Number.NaN;
    } catch {
      return Number.NaN;
    }
  }

  #handlerFailed(error: unknown, inputName: string, record: JobRecord): Verdict {
    if (this.#then === 'stop') {
      const text = `job '${this.name}' stops at ${positionOf(record)}: the handler of '${inputName}' threw ${thrownText(error)}`;
      throw new JobStopError('HANDLER_STOP', text, { cause: error });
    }
    return this.#fail(this.#then === 'skip' ? 'skipped' : 'dead', 'handler-error', thrownText(error), error);
  }

  /** Not a dead letter, as a throw is: the promise may hold the state and change it later, beside other records. */
  #refuseAsync(
    result: PromiseLike<unknown>,
    inputName: string,
    record: JobRecord,
    state: S,
    undo: S | undefined,
  ): never {
    // What the promise does later is nobody's any more; that it fails must not end the process.
    Promise.resolve(result).then(undefined, () => {});
    this.#context.discard();
    if (undo !== undefined) restoreState(state as object, undo as object);
    const text = `job '${this.name}' stops at ${positionOf(record)}: the handler of '${inputName}' returned a promise: async handlers come later, handlers are synchronous in this release`;
    throw new JobStopError('ASYNC_HANDLER', text);
  }

  #fail(verdict: 'skipped' | 'dead', reason: string, detail: string, error: unknown): Verdict {
    this.failureReason = reason;
    this.failureDetail = detail;
    this.failureError = error;
    return verdict;
  }

  /** For people: keys that aren't UTF-8 are shown in hex. */
  #keyText(key: Uint8Array): string {
    return this.#decodeText(key, 0, key.length) ?? hexText(key);
  }
}

function positionOf({ topic, partition, offset }: JobRecord): string {
  return `${topic}/${partition}@${offset}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

function readTopics(
  problems: Problem[],
  path: string,
  specs: { readonly [name: string]: { readonly topic: string } },
  overrides: Readonly<Record<string, unknown>>,
): Map<string, string> {
  const names = Object.keys(specs);
  for (const [name, topic] of Object.entries(overrides)) {
    if (topic === undefined) continue;
    if (!names.includes(name)) {
      const problem = { path: `${path}.${name}`, value: 'unknown name', expected: `one of ${names.join(', ')}` };
      const nearest = nearestName(name, names);
      problems.push(nearest === undefined ? problem : { ...problem, nearest });
    } else if (typeof topic !== 'string' || !topicPattern.test(topic)) {
      problems.push({ path: `${path}.${name}`, value: show(topic), expected: topicExpected });
    }
  }
  return new Map(names.map((name) => [name, String(overrides[name] ?? specs[name]!.topic)]));
}

// biome-ignore lint/suspicious/noExplicitAny: inside, the types of one job are not known
function readParams(problems: Problem[], definition: AnyDefinition<any>, given: unknown): unknown {
  if (definition.params === undefined) {
    for (const name of Object.keys((given as object | undefined) ?? {})) {
      problems.push({ path: `params.${name}`, value: 'unknown name', expected: 'nothing: the job has no params' });
    }
    return Object.freeze({});
  }
  const result = definition.params.safeParse(given ?? {});
  if (result.success) return deepFreeze(result.data);
  for (const issue of listSchemaIssues(result.error)) {
    const path = issue.path === '' ? 'params' : `params.${issue.path}`;
    const value = issue.path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], given);
    problems.push({ path, value: show(value), expected: issue.message });
  }
  return undefined;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
