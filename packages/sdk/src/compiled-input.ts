import { thrownText } from '@holdfast/model';
import type { JobRecord, KeyLocator } from '@holdfast/processor';
import type { InputSpec, KeyValue } from './definition.ts';
import { JsonText } from './json-text.ts';
import { isRefusal, refusal } from './record-reader.ts';
import { describeSchemaError, type Schema } from './schema.ts';
import type { DecodeText } from './state-decoder.ts';
import { keyBytesOf } from './text-key.ts';

const ok = 0;
const skipped = 1;
const dead = 2;
type Outcome = 0 | 1 | 2;

/** Turns a record into the event of its handler. Results are in fields, valid until the next call: nothing is allocated. */
export abstract class CompiledInput {
  readonly name: string;
  readonly topic: string;
  value: unknown = undefined;
  /** A short code. */
  reason = '';
  /** For people: where a schema was missed, what a parser threw. */
  detail = '';

  constructor(name: string, topic: string) {
    this.name = name;
    this.topic = topic;
  }

  /** 0: `value` is the event; 1: skip; 2: dead letter. Never throws. */
  parse(record: JobRecord): Outcome {
    this.detail = '';
    if (record.valueStart < 0) return this.refuse(skipped, 'no-value');
    try {
      return this.read(record);
    } catch (error) {
      return this.refuse(dead, 'parse-error', thrownText(error));
    }
  }

  abstract newKeyLocator(): KeyLocator;
  protected abstract read(record: JobRecord): Outcome;

  protected refuse(outcome: Outcome, reason: string, detail = ''): Outcome {
    this.value = undefined;
    this.reason = reason;
    this.detail = detail;
    return outcome;
  }
}

/** A hand-written reader. */
class ReadCompiledInput extends CompiledInput {
  readonly #spec: Extract<InputSpec<unknown>, { read: object }>;

  constructor(name: string, topic: string, spec: Extract<InputSpec<unknown>, { read: object }>) {
    super(name, topic);
    this.#spec = spec;
  }

  newKeyLocator(): KeyLocator {
    return this.#spec.read.newKeyLocator(this.topic);
  }

  protected read(record: JobRecord): Outcome {
    const result = this.#spec.read.parse(record) as { value?: unknown; skip?: string; dead?: string };
    if (result.dead !== undefined) return this.refuse(dead, result.dead);
    if (result.skip !== undefined) return this.refuse(skipped, result.skip);
    this.value = result.value;
    return ok;
  }
}

/** Inputs whose key is found by parsing the whole record. */
class KeyedCompiledInput extends CompiledInput {
  readonly #parse: (input: KeyedCompiledInput, record: JobRecord) => Outcome;
  readonly #key: (event: unknown) => KeyValue;
  readonly #locateKey: ((topic: string) => KeyLocator) | undefined;

  constructor(
    name: string,
    topic: string,
    parse: (input: KeyedCompiledInput, record: JobRecord) => Outcome,
    key: (event: unknown) => KeyValue,
    locateKey: ((topic: string) => KeyLocator) | undefined,
  ) {
    super(name, topic);
    this.#parse = parse;
    this.#key = key;
    this.#locateKey = locateKey;
  }

  protected read(record: JobRecord): Outcome {
    return this.#parse(this, record);
  }

  override refuse(outcome: Outcome, reason: string, detail?: string): Outcome {
    return super.refuse(outcome, reason, detail);
  }

  newKeyLocator(): KeyLocator {
    return this.#locateKey?.(this.topic) ?? new ParsingKeyLocator(this, this.#key);
  }
}

const noBytes = new Uint8Array(0);

/** The slow general form: parses and checks the record as its holder will, then asks `key`. */
class ParsingKeyLocator implements KeyLocator {
  keyBytes: Uint8Array = noBytes;
  keyStart = 0;
  keyEnd = 0;
  reason = '';
  readonly #input: CompiledInput;
  readonly #key: (event: unknown) => KeyValue;
  readonly #record: JobRecord;

  constructor(input: CompiledInput, key: (event: unknown) => KeyValue) {
    this.#input = input;
    this.#key = key;
    const { topic } = input;
    this.#record = {
      topic,
      partition: -1,
      offset: -1,
      timestampUnixMs: Number.NaN,
      bytes: noBytes,
      valueStart: -1,
      valueEnd: -1,
    };
  }

  locate(bytes: Uint8Array, start: number, end: number): Outcome {
    this.#record.bytes = bytes;
    this.#record.valueStart = start;
    this.#record.valueEnd = end;
    const outcome = this.#input.parse(this.#record);
    this.#record.bytes = noBytes;
    if (outcome !== ok) {
      this.reason = this.#input.reason;
      return outcome;
    }
    let key: ReturnType<typeof keyBytesOf>;
    try {
      key = keyBytesOf(this.#key(this.#input.value));
    } catch {
      key = 'key-not-text';
    }
    if (typeof key === 'string') {
      this.reason = key;
      return key === 'no-key' ? skipped : dead;
    }
    this.keyBytes = key;
    this.keyStart = 0;
    this.keyEnd = key.length;
    return ok;
  }
}

/** @param topic the input's own, or the one that the configuration puts in its place */
export function compileInput(
  name: string,
  topic: string,
  spec: InputSpec<unknown>,
  decodeText: DecodeText,
): CompiledInput {
  if (spec.read !== undefined) return new ReadCompiledInput(name, topic, spec);
  if (spec.parse !== undefined) {
    const { parse } = spec;
    const run = (input: KeyedCompiledInput, record: JobRecord): Outcome => {
      const value = parse(record.bytes, record.valueStart, record.valueEnd, record);
      if (isRefusal(value)) return input.refuse(value[refusal] === 'dead' ? dead : skipped, value.reason);
      input.value = value;
      return ok;
    };
    return new KeyedCompiledInput(name, topic, run, spec.key, spec.locateKey);
  }
  return new KeyedCompiledInput(name, topic, jsonParse(spec.schema, decodeText), spec.key, spec.locateKey);
}

function jsonParse(schema: Schema<unknown>, decodeText: DecodeText) {
  const json = new JsonText(decodeText);
  return (input: KeyedCompiledInput, record: JobRecord): Outcome => {
    if (!json.parse(record.bytes, record.valueStart, record.valueEnd)) return input.refuse(dead, json.fault);
    const result = schema.safeParse(json.value);
    if (!result.success) return input.refuse(dead, 'schema', describeSchemaError(result.error));
    input.value = result.data;
    return ok;
  };
}
