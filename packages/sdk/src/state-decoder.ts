import { StateError } from './errors.ts';
import { stateDepthMax } from './plain-data.ts';
import { tag } from './state-format.ts';
import { TextCache } from './text-cache.ts';

/** Decodes bytes[start, end) as UTF-8; null when they aren't. */
export type DecodeText = (bytes: Uint8Array, start: number, end: number) => string | null;

interface Shape {
  readonly keys: readonly string[];
  readonly noPrototype: boolean;
}

const empty = new Uint8Array(0);

/** Reads what `StateEncoder` wrote. Damaged bytes give a StateError STATE_FORMAT, never a wrong read or a loop. */
export class StateDecoder {
  readonly #decodeText: DecodeText;
  readonly #cache = new TextCache();
  #bytes: Uint8Array = empty;
  #view: DataView = new DataView(empty.buffer);
  #at = 0;
  #end = 0;
  readonly #shapes: Shape[] = [];

  constructor(decodeText: DecodeText) {
    this.#decodeText = decodeText;
  }

  /** The value that bytes[start, …) hold, to the last byte. */
  decode(bytes: Uint8Array, start: number): unknown {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = bytes.length;
    this.#shapes.length = 0;
    try {
      const value = this.#value(0);
      if (this.#at !== this.#end) throw this.#broken(`${this.#end - this.#at} bytes too many`);
      return value;
    } finally {
      // Neither the row nor its strings should live on because of this decoder.
      this.#bytes = empty;
      this.#shapes.length = 0;
    }
  }

  #value(depth: number): unknown {
    const t = this.#byte();
    if (t < 0x80) return t;
    if (t >= tag.shortList) return this.#list(t - tag.shortList, depth);
    if (t >= tag.shortShape) return this.#record(this.#shape(t - tag.shortShape), depth);
    if (t >= tag.shortText) return this.#text(t - tag.shortText);
    switch (t) {
      case tag.null:
        return null;
      case tag.false:
        return false;
      case tag.true:
        return true;
      case tag.undefined:
        return undefined;
      case tag.u8:
        return this.#byte();
      case tag.u16:
        return this.#view.getUint16(this.#take(2), true);
      case tag.u32:
        return this.#view.getUint32(this.#take(4), true);
      case tag.u48: {
        const at = this.#take(6);
        return this.#view.getUint32(at, true) + this.#view.getUint16(at + 4, true) * 2 ** 32;
      }
      case tag.negative:
        return -this.#view.getUint32(this.#take(4), true) - 1;
      case tag.f64:
        return this.#view.getFloat64(this.#take(8), true);
      case tag.nan:
        return Number.NaN;
      case tag.text:
        return this.#text(this.#varint());
      case tag.text16:
        return this.#text16(this.#varint());
      case tag.bytes: {
        const length = this.#varint();
        const at = this.#take(length);
        // Not bytes.slice: that of a Buffer is a Buffer, and a view of the row.
        return Uint8Array.prototype.slice.call(this.#bytes, at, at + length);
      }
      case tag.bigint:
        return this.#bigint();
      case tag.bigintNegative:
        return -this.#bigint();
      case tag.list:
        return this.#list(this.#varint(), depth);
      case tag.wholeList:
        return this.#wholeList();
      case tag.map: {
        this.#deeper(depth);
        const map = new Map<unknown, unknown>();
        for (let n = this.#varint(); n > 0; n--) {
          const key = this.#value(depth + 1);
          map.set(key, this.#value(depth + 1));
        }
        return map;
      }
      case tag.set: {
        this.#deeper(depth);
        const set = new Set<unknown>();
        for (let n = this.#varint(); n > 0; n--) set.add(this.#value(depth + 1));
        return set;
      }
      case tag.dictionary:
        return this.#dictionary(false, depth);
      case tag.dictionaryNoPrototype:
        return this.#dictionary(true, depth);
      case tag.newShape:
        return this.#record(this.#newShape(false), depth);
      case tag.newShapeNoPrototype:
        return this.#record(this.#newShape(true), depth);
      case tag.shape:
        return this.#record(this.#shape(this.#varint()), depth);
      default:
        throw this.#broken(`unknown tag ${t}`);
    }
  }

  #list(length: number, depth: number): unknown[] {
    this.#deeper(depth);
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.#value(depth + 1));
    return list;
  }

  #wholeList(): number[] {
    const list: number[] = [];
    let last = 0;
    for (let n = this.#varint(); n > 0; n--) {
      const zigzag = this.#varint();
      last += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      list.push(last);
    }
    return list;
  }

  #newShape(noPrototype: boolean): Shape {
    const keys: string[] = [];
    for (let n = this.#varint(); n > 0; n--) keys.push(this.#key());
    const shape = { keys, noPrototype };
    this.#shapes.push(shape);
    return shape;
  }

  #shape(index: number): Shape {
    const shape = this.#shapes[index];
    if (shape === undefined) throw this.#broken(`unknown shape ${index}`);
    return shape;
  }

  #record(shape: Shape, depth: number): object {
    this.#deeper(depth);
    const record: Record<string, unknown> = shape.noPrototype ? Object.create(null) : {};
    const keys = shape.keys;
    for (let i = 0; i < keys.length; i++) setOwn(record, keys[i]!, this.#value(depth + 1));
    return record;
  }

  #dictionary(noPrototype: boolean, depth: number): object {
    this.#deeper(depth);
    const record: Record<string, unknown> = noPrototype ? Object.create(null) : {};
    for (let n = this.#varint(); n > 0; n--) {
      const key = this.#key();
      setOwn(record, key, this.#value(depth + 1));
    }
    return record;
  }

  #key(): string {
    const t = this.#byte();
    if (t >= tag.shortText && t < tag.shortShape) return this.#text(t - tag.shortText);
    if (t === tag.text) return this.#text(this.#varint());
    if (t === tag.text16) return this.#text16(this.#varint());
    throw this.#broken(`tag ${t} where a key belongs`);
  }

  #text(length: number): string {
    const at = this.#take(length);
    const text = this.#cache.ascii(this.#bytes, at, at + length) ?? this.#decodeText(this.#bytes, at, at + length);
    if (text === null) throw this.#broken('text that is not UTF-8');
    return text;
  }

  #text16(units: number): string {
    const at = this.#take(2 * units);
    let text = '';
    for (let i = 0; i < units; i++) text += String.fromCharCode(this.#view.getUint16(at + 2 * i, true));
    return text;
  }

  #bigint(): bigint {
    const length = this.#varint();
    const at = this.#take(length);
    let hex = '0x0';
    for (let i = 0; i < length; i++) hex += this.#bytes[at + i]!.toString(16).padStart(2, '0');
    return BigInt(hex);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#broken('the end is missing');
    return this.#bytes[this.#at++]!;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const b = this.#byte();
      value += (b & 127) * scale;
      if (b < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw this.#broken('a number too long');
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw this.#broken('the end is missing');
    this.#at = at + length;
    return at;
  }

  #deeper(depth: number): void {
    if (depth > stateDepthMax) throw this.#broken(`nested more than ${stateDepthMax} deep`);
  }

  #broken(what: string): StateError {
    return new StateError('STATE_FORMAT', `not a stored state: ${what}, at byte ${this.#at}`);
  }
}

/** Sets an own property even where assignment would reach a setter of the prototype. */
function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
  } else record[key] = value;
}
