import { skipNumber, skipPlain, skipSpace, skipString, skipValue } from './json-bytes.ts';
import { unescapeJson } from './json-unescape.ts';
import { defaultRecordLimits, ExactKeyFinder, type RecordLimits } from './key-exact.ts';
import { compileKeyProgram, type KeyEdge, type KeyNode, type KeyProgram } from './key-program.ts';
import type { DeadReason, SkipReason } from './login.ts';
import type { Mapping } from './mapping.ts';

/** The key is in the scanner's fields. */
export const keyFound = 0;
/** The record is no login of anybody: `reason` says why. */
export const keySkip = 1;
/** The record can't be used: a dead letter, for `reason`. */
export const keyDead = 2;
export type KeyResult = typeof keyFound | typeof keySkip | typeof keyDead;

/** The quick scan can't answer: the exact path has to. */
const unclear = -1;

/** Escaped strings of up to so many bytes are unescaped without the exact path. */
const scratchBytes = 4096;

function equalBytes(b: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (b[start + i] !== text[i]) return false;
  return true;
}

function isOneOf(b: Uint8Array, start: number, end: number, texts: readonly Uint8Array[]): boolean {
  for (let i = 0; i < texts.length; i++) if (equalBytes(b, start, end, texts[i]!)) return true;
  return false;
}

function hasBackslash(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (b[i] === 0x5c) return true;
  return false;
}

/** Whether a number is written as its value would be printed: an integer of up to 15 digits. */
function isPlainInteger(b: Uint8Array, start: number, end: number): boolean {
  let p = b[start] === 0x2d ? start + 1 : start;
  if (end - p > 15 || (b[p] === 0x30 && p > start)) return false;
  for (; p < end; p++) if (b[p]! < 0x30 || b[p]! > 0x39) return false;
  return true;
}

/**
 * Finds the user of a raw record without parsing it: one pass over the bytes that checks the grammar and notes where
 * the wanted values lie. No allocation per record, unless the record is unusual (escaped or repeated wanted keys, arrays
 * on the way, anything invalid): then `ExactKeyFinder` answers. The answer is always the one that it would give.
 */
export class KeyScanner {
  /** After `keyFound`: the key is `keyBytes[keyStart, keyEnd)`, until the next call. */
  keyBytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  /** After `keySkip` and `keyDead`. */
  reason: SkipReason | DeadReason | '' = '';
  /** How many records took the exact path. */
  exactCount = 0;

  readonly #program: KeyProgram;
  readonly #limits: RecordLimits;
  readonly #exact: ExactKeyFinder;
  readonly #scratch = new Uint8Array(scratchBytes);
  /** Where each slot's value lies; an end of -1 marks a slot without value in this record. */
  readonly #slotStarts: Int32Array;
  readonly #slotEnds: Int32Array;
  readonly #filterPassed: Uint8Array;
  /** Number of the last scan that met an edge. */
  readonly #edgeScan: Float64Array;
  #scan = 0;

  constructor(mapping: Mapping, limits: RecordLimits = defaultRecordLimits) {
    this.#program = compileKeyProgram(mapping);
    this.#limits = limits;
    this.#exact = new ExactKeyFinder(mapping, limits);
    this.#slotStarts = new Int32Array(this.#program.slotCount);
    this.#slotEnds = new Int32Array(this.#program.slotCount);
    this.#filterPassed = new Uint8Array(this.#program.filterCount);
    this.#edgeScan = new Float64Array(this.#program.edgeCount);
  }

  /** @param bytes holds the record at [start, end) */
  locate(bytes: Uint8Array, start: number, end: number): KeyResult {
    if (end - start > this.#limits.recordBytesMax) {
      this.reason = 'too_large';
      return keyDead;
    }
    const quick = this.#quick(bytes, start, end);
    return quick === unclear ? this.#exactly(bytes, start, end) : quick;
  }

  #exactly(bytes: Uint8Array, start: number, end: number): KeyResult {
    this.exactCount++;
    const found = this.#exact.find(bytes, start, end);
    if ('key' in found) {
      this.keyBytes = found.key;
      this.keyStart = 0;
      this.keyEnd = found.key.length;
      return keyFound;
    }
    if ('skip' in found) {
      this.reason = found.skip;
      return keySkip;
    }
    this.reason = found.dead;
    return keyDead;
  }

  #quick(bytes: Uint8Array, start: number, end: number): KeyResult | typeof unclear {
    this.#scan++;
    for (let i = 0; i < this.#slotEnds.length; i++) this.#slotEnds[i] = -1;
    for (let i = 0; i < this.#filterPassed.length; i++) this.#filterPassed[i] = 0;
    let p = skipSpace(bytes, start, end);
    if (p >= end || bytes[p] !== 0x7b) return unclear;
    p = this.#scanObject(bytes, p, end, this.#program.root, this.#limits.recordDepthMax);
    if (p < 0 || skipSpace(bytes, p, end) !== end) return unclear;
    for (let i = 0; i < this.#filterPassed.length; i++) {
      if (this.#filterPassed[i] === 0) {
        this.reason = 'filtered';
        return keySkip;
      }
    }
    return this.#chooseKey(bytes);
  }

  /** The first slot whose value isn't empty. */
  #chooseKey(bytes: Uint8Array): KeyResult | typeof unclear {
    const empty = this.#program.empty;
    for (let slot = 0; slot < this.#slotEnds.length; slot++) {
      let from = bytes;
      let start = this.#slotStarts[slot]!;
      let end = this.#slotEnds[slot]!;
      if (end <= start) continue;
      if (hasBackslash(bytes, start, end)) {
        if (end - start > scratchBytes) return unclear;
        end = unescapeJson(bytes, start, end, this.#scratch);
        if (end < 0) {
          this.reason = 'bad_key';
          return keyDead;
        }
        from = this.#scratch;
        start = 0;
      }
      // A number has no quote before it, and is never one of the empty texts.
      if (isOneOf(from, start, end, empty)) {
        const isString = from !== bytes || bytes[start - 1] === 0x22;
        if (!isString) return unclear;
        continue;
      }
      if (end - start > this.#limits.keyBytesMax) {
        this.reason = 'key_too_long';
        return keyDead;
      }
      this.keyBytes = from;
      this.keyStart = start;
      this.keyEnd = end;
      return keyFound;
    }
    this.reason = 'no_user';
    return keySkip;
  }

  /** Walks an object that lies on a wanted path; after it, or -1 for invalid or unclear. */
  #scanObject(b: Uint8Array, p: number, end: number, node: KeyNode, depthLeft: number): number {
    if (depthLeft === 0) return -1;
    p = skipSpace(b, p + 1, end);
    if (p < end && b[p] === 0x7d) return p + 1;
    for (;;) {
      if (p >= end || b[p] !== 0x22) return -1;
      const keyStart = p + 1;
      p = skipPlain(b, keyStart, end);
      if (p < end && b[p]! >= 0x80) {
        p = skipString(b, p, end) - 1;
        if (p < 0 || hasBackslash(b, keyStart, p)) return -1;
      }
      if (p >= end || b[p] !== 0x22) return -1;
      const keyEnd = p++;
      if (p >= end || b[p] !== 0x3a) p = skipSpace(b, p, end);
      if (p >= end || b[p] !== 0x3a) return -1;
      p = skipSpace(b, p + 1, end);
      const edge = this.#edgeOf(b, keyStart, keyEnd, node);
      p = edge === null ? skipValue(b, p, end, depthLeft - 1) : this.#scanWanted(b, p, end, edge, depthLeft - 1);
      if (p < 0) return -1;
      p = skipSpace(b, p, end);
      if (p >= end) return -1;
      if (b[p] === 0x7d) return p + 1;
      if (b[p] !== 0x2c) return -1;
      p = skipSpace(b, p + 1, end);
    }
  }

  #edgeOf(b: Uint8Array, start: number, end: number, node: KeyNode): KeyEdge | null {
    // Most keys are not wanted; their lengths say so at once.
    if ((node.lengths & (1 << ((end - start) & 31))) === 0) return null;
    const edges = node.edges;
    for (let i = 0; i < edges.length; i++) if (equalBytes(b, start, end, edges[i]!.key)) return edges[i]!;
    return null;
  }

  /** Walks the value of a wanted key. A key that comes twice is left to the exact path: the last one counts. */
  #scanWanted(b: Uint8Array, p: number, end: number, edge: KeyEdge, depthLeft: number): number {
    if (this.#edgeScan[edge.id] === this.#scan || p >= end) return -1;
    this.#edgeScan[edge.id] = this.#scan;
    const c = b[p]!;
    if (c === 0x22) {
      const after = skipString(b, p + 1, end);
      if (after < 0) return -1;
      if (edge.slot >= 0) {
        this.#slotStarts[edge.slot] = p + 1;
        this.#slotEnds[edge.slot] = after - 1;
      }
      return edge.filters.length > 0 && !this.#testText(b, p + 1, after - 1, edge) ? -1 : after;
    }
    if (c === 0x7b) {
      return edge.child === null ? skipValue(b, p, end, depthLeft) : this.#scanObject(b, p, end, edge.child, depthLeft);
    }
    if (c === 0x5b) {
      return edge.slot < 0 && edge.child === null ? this.#scanTexts(b, p, end, edge, depthLeft) : -1;
    }
    if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      const after = skipNumber(b, p, end);
      if (after < 0) return -1;
      if (edge.slot >= 0) {
        this.#slotStarts[edge.slot] = p;
        this.#slotEnds[edge.slot] = after;
      }
      if (edge.filters.length === 0) return after;
      return isPlainInteger(b, p, after) && this.#testText(b, p, after, edge) ? after : -1;
    }
    const after = skipValue(b, p, end, depthLeft);
    // `true` and `false` are texts to a filter; `null` is nothing.
    if (after >= 0 && c !== 0x6e && edge.filters.length > 0) this.#testText(b, p, after, edge);
    return after;
  }

  /** Runs the filter tests of an edge; false when the text has escapes and only the exact path can compare. */
  #testText(b: Uint8Array, start: number, end: number, edge: KeyEdge): boolean {
    if (hasBackslash(b, start, end)) return false;
    for (let i = 0; i < edge.filters.length; i++) {
      const { test, anyOf } = edge.filters[i]!;
      if (isOneOf(b, start, end, anyOf)) this.#filterPassed[test] = 1;
    }
    return true;
  }

  /** A list of plain texts at a filter's path, as ECS has it; -1 for any other list. */
  #scanTexts(b: Uint8Array, p: number, end: number, edge: KeyEdge, depthLeft: number): number {
    if (depthLeft === 0) return -1;
    p = skipSpace(b, p + 1, end);
    if (p < end && b[p] === 0x5d) return p + 1;
    for (;;) {
      if (p >= end || b[p] !== 0x22) return -1;
      const after = skipString(b, p + 1, end);
      if (after < 0 || !this.#testText(b, p + 1, after - 1, edge)) return -1;
      p = skipSpace(b, after, end);
      if (p >= end) return -1;
      if (b[p] === 0x5d) return p + 1;
      if (b[p] !== 0x2c) return -1;
      p = skipSpace(b, p + 1, end);
    }
  }
}
