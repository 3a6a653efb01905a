import { StateError } from './errors.ts';
import { findRefusedPart, stateDepthMax } from './plain-data.ts';
import { shapeKeysMax, tag, wholeListBound } from './state-format.ts';

/** A point in the tree of key sequences: the shape of objects with the keys on the way to it. */
class ShapeNode {
  /** The encode call in which `index` is valid. */
  call = 0;
  index = 0;
  /** The child last taken: nearly always the next one, too. */
  lastKey = '';
  lastChild: ShapeNode | null = null;
  children: Map<string, ShapeNode> | null = null;
}

/** Key sequences remembered between calls; beyond it they are forgotten, which changes no output. */
const shapeNodesMax = 4096;
const refused = Symbol('refused');
const tooLarge = Symbol('too large');

/**
 * Writes plain data in the form of state-format.ts. The same value gives the same bytes, whatever was written before.
 * Keeps its buffer between calls; one per job.
 */
export class StateEncoder {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #call = 0;
  #shapeCount = 0;
  #rootPlain = new ShapeNode();
  #rootNoPrototype = new ShapeNode();
  #nodeCount = 0;
  #scratch: unknown[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * @param header bytes in front of the value
   * @throws StateError STATE_NOT_PLAIN with the place, or STATE_TOO_LARGE
   */
  encode(header: Uint8Array, value: unknown): Uint8Array {
    this.#at = 0;
    this.#call++;
    this.#shapeCount = 0;
    this.#scratch.length = 0;
    try {
      this.#reserve(header.length);
      this.#bytes.set(header, 0);
      this.#at = header.length;
      this.#value(value, 0);
      if (this.#at > this.#bytesMax) throw tooLarge;
    } catch (error) {
      throw this.#explain(error, value);
    }
    if (this.#nodeCount > shapeNodesMax) {
      this.#rootPlain = new ShapeNode();
      this.#rootNoPrototype = new ShapeNode();
      this.#nodeCount = 0;
    }
    return this.#bytes.slice(0, this.#at);
  }

  #explain(error: unknown, value: unknown): unknown {
    if (error === tooLarge) {
      return new StateError('STATE_TOO_LARGE', `the state takes more than ${this.#bytesMax} bytes`);
    }
    if (error !== refused) return error;
    const found = findRefusedPart(value);
    return new StateError('STATE_NOT_PLAIN', found?.problem ?? 'not plain data', found?.path ?? 'state');
  }

  #value(value: unknown, depth: number): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'object') {
      if (value === null) this.#byte(tag.null);
      else this.#object(value, depth);
    } else if (typeof value === 'boolean') this.#byte(value ? tag.true : tag.false);
    else if (value === undefined) this.#byte(tag.undefined);
    else if (typeof value === 'bigint') this.#bigint(value);
    else throw refused;
  }

  #object(value: object, depth: number): void {
    if (depth > stateDepthMax) throw refused;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) this.#record(value as Record<string, unknown>, depth, false);
    else if (prototype === Array.prototype) this.#list(value as unknown[], depth);
    else if (prototype === Map.prototype) {
      const map = value as Map<unknown, unknown>;
      this.#byte(tag.map);
      this.#varint(map.size);
      for (const [key, item] of map) {
        this.#value(key, depth + 1);
        this.#value(item, depth + 1);
      }
    } else if (prototype === Set.prototype) {
      const set = value as Set<unknown>;
      this.#byte(tag.set);
      this.#varint(set.size);
      for (const item of set) this.#value(item, depth + 1);
    } else if (prototype === Uint8Array.prototype) {
      const bytes = value as Uint8Array;
      this.#byte(tag.bytes);
      this.#varint(bytes.length);
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#at);
      this.#at += bytes.length;
    } else if (prototype === null) this.#record(value as Record<string, unknown>, depth, true);
    else throw refused;
  }

  /** Properties whose value is undefined are left out. */
  #record(value: Record<string, unknown>, depth: number, noPrototype: boolean): void {
    const keys = Object.keys(value);
    if (keys.length > shapeKeysMax) {
      this.#dictionary(value, keys, depth, noPrototype);
      return;
    }
    let node = noPrototype ? this.#rootNoPrototype : this.#rootPlain;
    // Values are read once and wait on a stack of their own: no array per object.
    const scratch = this.#scratch;
    const base = scratch.length;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const item = value[key];
      if (item === undefined) continue;
      scratch.push(item);
      node = node.lastKey === key && node.lastChild !== null ? node.lastChild : this.#child(node, key);
    }
    const count = scratch.length - base;
    if (node.call === this.#call) {
      if (node.index < 32) this.#byte(tag.shortShape + node.index);
      else {
        this.#byte(tag.shape);
        this.#varint(node.index);
      }
    } else {
      node.call = this.#call;
      node.index = this.#shapeCount++;
      this.#byte(noPrototype ? tag.newShapeNoPrototype : tag.newShape);
      this.#varint(count);
      for (let i = 0; i < keys.length; i++) if (value[keys[i]!] !== undefined) this.#text(keys[i]!);
    }
    for (let i = base; i < base + count; i++) this.#value(scratch[i], depth + 1);
    scratch.length = base;
  }

  #child(node: ShapeNode, key: string): ShapeNode {
    node.children ??= new Map();
    let child = node.children.get(key);
    if (child === undefined) {
      child = new ShapeNode();
      node.children.set(key, child);
      this.#nodeCount++;
    }
    node.lastKey = key;
    node.lastChild = child;
    return child;
  }

  #dictionary(value: Record<string, unknown>, keys: string[], depth: number, noPrototype: boolean): void {
    let count = 0;
    for (const key of keys) if (value[key] !== undefined) count++;
    this.#byte(noPrototype ? tag.dictionaryNoPrototype : tag.dictionary);
    this.#varint(count);
    for (const key of keys) {
      const item = value[key];
      if (item === undefined) continue;
      this.#text(key);
      this.#value(item, depth + 1);
    }
  }

  #list(list: unknown[], depth: number): void {
    const n = list.length;
    if (n >= 3 && isWholeList(list)) {
      this.#wholeList(list);
      return;
    }
    if (n < 32) this.#byte(tag.shortList + n);
    else {
      this.#byte(tag.list);
      this.#varint(n);
    }
    for (let i = 0; i < n; i++) this.#value(list[i], depth + 1);
  }

  #wholeList(list: readonly number[]): void {
    this.#byte(tag.wholeList);
    this.#varint(list.length);
    let last = 0;
    for (let i = 0; i < list.length; i++) {
      const difference = list[i]! - last;
      last = list[i]!;
      this.#varint(difference < 0 ? -2 * difference - 1 : 2 * difference);
    }
  }

  #number(value: number): void {
    this.#reserve(9);
    if (Number.isInteger(value) && !(value === 0 && 1 / value < 0)) {
      if (value >= 0) {
        if (value < 128) this.#bytes[this.#at++] = value;
        else if (value < 0x100) {
          this.#bytes[this.#at++] = tag.u8;
          this.#bytes[this.#at++] = value;
        } else if (value < 0x10000) {
          this.#bytes[this.#at++] = tag.u16;
          this.#view.setUint16(this.#at, value, true);
          this.#at += 2;
        } else if (value < 2 ** 32) {
          this.#bytes[this.#at++] = tag.u32;
          this.#view.setUint32(this.#at, value, true);
          this.#at += 4;
        } else if (value < 2 ** 48) {
          this.#bytes[this.#at++] = tag.u48;
          this.#view.setUint32(this.#at, value % 2 ** 32, true);
          this.#view.setUint16(this.#at + 4, Math.floor(value / 2 ** 32), true);
          this.#at += 6;
        } else this.#float(value);
        return;
      }
      if (value >= -(2 ** 32)) {
        this.#bytes[this.#at++] = tag.negative;
        this.#view.setUint32(this.#at, -value - 1, true);
        this.#at += 4;
        return;
      }
    }
    // The bits of a NaN are not defined: it has a tag of its own.
    if (Number.isNaN(value)) this.#bytes[this.#at++] = tag.nan;
    else this.#float(value);
  }

  #float(value: number): void {
    this.#bytes[this.#at++] = tag.f64;
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  #bigint(value: bigint): void {
    let hex = (value < 0n ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    const count = hex.length / 2;
    this.#byte(value < 0n ? tag.bigintNegative : tag.bigint);
    this.#varint(count);
    this.#reserve(count);
    for (let i = 0; i < count; i++) this.#bytes[this.#at++] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }

  #text(text: string): void {
    const units = text.length;
    this.#reserve(3 * units + 6);
    const bytes = this.#bytes;
    if (units < 32) {
      // Mostly short and ASCII: written at once, the tag after.
      let at = this.#at + 1;
      let i = 0;
      for (; i < units; i++) {
        const c = text.charCodeAt(i);
        if (c >= 0x80) break;
        bytes[at++] = c;
      }
      if (i === units) {
        bytes[this.#at] = tag.shortText + units;
        this.#at = at;
        return;
      }
    }
    const length = utf8Length(text);
    if (length < 0) {
      this.#byte(tag.text16);
      this.#varint(units);
      for (let i = 0; i < units; i++) {
        this.#view.setUint16(this.#at, text.charCodeAt(i), true);
        this.#at += 2;
      }
      return;
    }
    if (length < 32) this.#byte(tag.shortText + length);
    else {
      this.#byte(tag.text);
      this.#varint(length);
    }
    this.#at = writeUtf8(text, this.#bytes, this.#at);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  #varint(value: number): void {
    this.#reserve(8);
    while (value >= 2 ** 31) {
      this.#bytes[this.#at++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    while (value >= 128) {
      this.#bytes[this.#at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.#bytes[this.#at++] = value;
  }

  #reserve(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    // Ahead of the exact check at the end, so that a runaway state can't take the memory first (text reserves threefold).
    if (wanted > 4 * this.#bytesMax + 4096) throw tooLarge;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, wanted));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function isWholeList(list: unknown[]): list is number[] {
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value !== 'number' || !Number.isInteger(value)) return false;
    if (value > wholeListBound || value < -wholeListBound || (value === 0 && 1 / value < 0)) return false;
  }
  return true;
}

/** Bytes of the text as UTF-8; -1 when it has a lone surrogate. */
function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) length++;
    else if (c < 0x800) length += 2;
    else if (c < 0xd800 || c > 0xdfff) length += 3;
    else {
      const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (c > 0xdbff || next < 0xdc00 || next > 0xdfff) return -1;
      length += 4;
      i++;
    }
  }
  return length;
}

function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    let c = text.charCodeAt(i);
    if (c < 0x80) bytes[at++] = c;
    else if (c < 0x800) {
      bytes[at++] = 0xc0 | (c >> 6);
      bytes[at++] = 0x80 | (c & 63);
    } else if (c < 0xd800 || c > 0xdfff) {
      bytes[at++] = 0xe0 | (c >> 12);
      bytes[at++] = 0x80 | ((c >> 6) & 63);
      bytes[at++] = 0x80 | (c & 63);
    } else {
      c = 0x10000 + ((c - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
      bytes[at++] = 0xf0 | (c >> 18);
      bytes[at++] = 0x80 | ((c >> 12) & 63);
      bytes[at++] = 0x80 | ((c >> 6) & 63);
      bytes[at++] = 0x80 | (c & 63);
    }
  }
  return at;
}
