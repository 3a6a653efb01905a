import type { DecodeText } from './state-decoder.ts';

/** A JSON record may take so many bytes, and nest so deep: `JSON.parse` itself has no limit. */
export const jsonBytesMax = 1 << 20;
export const jsonDepthMax = 64;

/** Why bytes are no JSON record: the codes of dead letters. */
export type JsonFault = 'too-large' | 'not-utf8' | 'too-deep' | 'not-json';

/** Parses JSON records with limits; reuse one per input. After `false`, `fault` says why. */
export class JsonText {
  readonly #decodeText: DecodeText;
  value: unknown = undefined;
  fault: JsonFault = 'not-json';

  constructor(decodeText: DecodeText) {
    this.#decodeText = decodeText;
  }

  parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.value = undefined;
    if (end - start > jsonBytesMax) return this.#fail('too-large');
    if (deeperThan(bytes, start, end, jsonDepthMax)) return this.#fail('too-deep');
    const text = this.#decodeText(bytes, start, end);
    if (text === null) return this.#fail('not-utf8');
    try {
      this.value = JSON.parse(text);
      return true;
    } catch {
      return this.#fail('not-json');
    }
  }

  #fail(fault: JsonFault): false {
    this.fault = fault;
    return false;
  }
}

/** Counts brackets outside strings. On bytes that aren't JSON the count may be off; then the parser refuses them. */
function deeperThan(bytes: Uint8Array, start: number, end: number, depthMax: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = start; i < end; i++) {
    const b = bytes[i]!;
    if (inText) {
      if (b === 0x5c) i++;
      else if (b === 0x22) inText = false;
    } else if (b === 0x22) inText = true;
    else if (b === 0x7b || b === 0x5b) {
      if (++depth > depthMax) return true;
    } else if (b === 0x7d || b === 0x5d) depth--;
  }
  return false;
}
