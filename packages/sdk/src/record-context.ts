import { copyBytes, decodeUtf8, hashUnit, randomRatio, SeededRng, unitHashOut } from '@holdfast/model';
import type { JobRecord, OutputSink } from '@holdfast/processor';
import type { OutputSpec } from './definition.ts';
import type { HandlerContext, HandlerLog } from './handler-context.ts';
import { describeSchemaError } from './schema.ts';
import { hasLoneSurrogate } from './text-key.ts';

/** Emits of one record; beyond it, a handler in a loop would take the memory. */
export const emitsPerRecordMax = 1000;
/** Size of one emitted record, as most brokers limit it. */
export const emitBytesMax = 1 << 20;

const noBytes = new Uint8Array(0);

/** Bytes of a text; the node passes a faster one than the model's. */
export type EncodeText = (text: string) => Uint8Array;

interface CompiledOutput {
  readonly name: string;
  readonly topic: string;
  readonly spec: OutputSpec<unknown>;
}

/** The one `ctx` of a job. Emits wait here until the handler has returned: a failed record publishes nothing. */
export class RecordContext implements HandlerContext<unknown, Record<string, unknown>, unknown> {
  readonly emit: Record<string, (value: unknown) => void> = {};
  readonly params: unknown;
  readonly log: HandlerLog;
  keyBytes: Uint8Array = noBytes;
  now = Number.NaN;
  topic = '';
  partition = -1;
  offset = -1;
  epoch = 0;

  readonly #jobPrefix: string;
  readonly #encodeText: EncodeText;
  readonly #prefixes = new Map<string, string[]>();
  #active = false;
  #state: unknown = undefined;
  #key: string | null = null;
  #rng: SeededRng | null = null;
  #emitCount = 0;
  readonly #topics: string[] = [];
  readonly #keys: (Uint8Array | null)[] = [];
  readonly #values: Uint8Array[] = [];

  constructor(
    job: { name: string; version: string },
    outputs: readonly CompiledOutput[],
    params: unknown,
    log: HandlerLog,
    encodeText: EncodeText,
  ) {
    this.#jobPrefix = `${job.name}/${job.version}/`;
    this.params = params;
    this.log = log;
    this.#encodeText = encodeText;
    for (const output of outputs) this.emit[output.name] = (value) => this.#emit(output, value);
    Object.freeze(this.emit);
  }

  get state(): unknown {
    return this.#state;
  }

  set state(_value: unknown) {
    throw new TypeError('ctx.state is changed in place (ctx.state.field = …), it cannot be replaced');
  }

  get key(): string {
    if (this.#key === null) {
      this.#key = decodeUtf8(this.keyBytes);
      if (this.#key === null) throw new TypeError('the key is not UTF-8: use ctx.keyBytes');
    }
    return this.#key;
  }

  /** Before each attempt at a record. */
  begin(state: unknown, key: Uint8Array, record: JobRecord, now: number): void {
    this.#active = true;
    this.#state = state;
    this.keyBytes = key;
    this.#key = null;
    this.#rng = null;
    this.#emitCount = 0;
    this.now = now;
    this.topic = record.topic;
    this.partition = record.partition;
    this.offset = record.offset;
  }

  /** After each attempt: a handler that kept `ctx` can't reach what isn't its own. */
  end(): void {
    this.#active = false;
    this.#state = undefined;
  }

  /** Hands on what the last attempt emitted. */
  flush(out: OutputSink): void {
    if (this.#emitCount === 0) return;
    const prefix = `${this.#position()}/`;
    for (let n = 0; n < this.#emitCount; n++) out.emit(this.#topics[n]!, this.#keys[n]!, this.#values[n]!, prefix + n);
    this.discard();
  }

  discard(): void {
    this.#emitCount = 0;
    this.#topics.length = 0;
    this.#keys.length = 0;
    this.#values.length = 0;
  }

  id(label?: string): string {
    return `${this.#position()}/${label ?? this.#emitCount}`;
  }

  random(): number {
    if (this.#rng === null) {
      // Job and position, not the version: two versions compared on a record see the same numbers.
      const seed = this.#encodeText(`${this.#position()}`.slice(this.#jobPrefix.length));
      hashUnit(seed, 0, seed.length);
      this.#rng = new SeededRng(unitHashOut.lo + (unitHashOut.hi & 0x1fffff) * 2 ** 32);
    }
    return randomRatio(this.#rng);
  }

  #emit(output: CompiledOutput, value: unknown): void {
    if (!this.#active) throw new Error(`emit.${output.name} was called after its handler had returned`);
    if (this.#emitCount >= emitsPerRecordMax)
      throw new RangeError(`more than ${emitsPerRecordMax} emits for one record`);
    const { spec } = output;
    let checked = value;
    if (spec.schema !== undefined) {
      const result = spec.schema.safeParse(value);
      if (!result.success) throw new TypeError(`emit.${output.name}: ${describeSchemaError(result.error)}`);
      checked = result.data;
    }
    const encoded = spec.encode === undefined ? this.#json(output.name, checked) : spec.encode(checked);
    if (!(encoded instanceof Uint8Array)) throw new TypeError(`output.${output.name}.encode gave no Uint8Array`);
    if (encoded.length > emitBytesMax) {
      throw new RangeError(`emit.${output.name}: ${encoded.length} bytes, more than ${emitBytesMax}`);
    }
    // The author's own may be written to again while it waits for the log.
    const bytes = spec.encode === undefined ? encoded : copyBytes(encoded);
    const key = spec.key === undefined ? null : this.#keyBytes(output.name, spec.key(checked));
    const n = this.#emitCount++;
    this.#topics[n] = output.topic;
    this.#keys[n] = key;
    this.#values[n] = bytes;
  }

  #json(name: string, value: unknown): Uint8Array {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`emit.${name}: ${typeof value} has no JSON`);
    return this.#encodeText(text);
  }

  #keyBytes(name: string, key: string | Uint8Array | null): Uint8Array | null {
    if (key === null) return null;
    if (key instanceof Uint8Array) return copyBytes(key);
    if (typeof key !== 'string' || hasLoneSurrogate(key)) throw new TypeError(`output.${name}.key gave no text`);
    return this.#encodeText(key);
  }

  #position(): string {
    let byPartition = this.#prefixes.get(this.topic);
    if (byPartition === undefined) this.#prefixes.set(this.topic, (byPartition = []));
    const prefix = (byPartition[this.partition] ??= `${this.#jobPrefix}${this.topic}/${this.partition}/`);
    return prefix + this.offset;
  }
}
