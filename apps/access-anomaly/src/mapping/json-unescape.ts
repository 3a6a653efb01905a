import { hexValue } from './json-bytes.ts';

const simple = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  simple[letter.charCodeAt(0)] = byte;
}

function hex4(b: Uint8Array, p: number): number {
  return (hexValue(b[p]!) << 12) | (hexValue(b[p + 1]!) << 8) | (hexValue(b[p + 2]!) << 4) | hexValue(b[p + 3]!);
}

function putUtf8(out: Uint8Array, at: number, c: number): number {
  if (c < 0x80) out[at++] = c;
  else if (c < 0x800) {
    out[at++] = 0xc0 | (c >> 6);
    out[at++] = 0x80 | (c & 63);
  } else {
    if (c < 0x10000) out[at++] = 0xe0 | (c >> 12);
    else {
      out[at++] = 0xf0 | (c >> 18);
      out[at++] = 0x80 | ((c >> 12) & 63);
    }
    out[at++] = 0x80 | ((c >> 6) & 63);
    out[at++] = 0x80 | (c & 63);
  }
  return at;
}

/**
 * Writes the content of a valid JSON string without its escapes.
 * @param b holds the string's content at [start, end), quotes excluded
 * @param out at least `end - start` long: an escape is never shorter than its character
 * @returns length in UTF-8, or -1 for half of a surrogate pair, which has no UTF-8
 */
export function unescapeJson(b: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let at = 0;
  for (let p = start; p < end; ) {
    const c = b[p]!;
    if (c !== 0x5c) {
      out[at++] = c;
      p++;
      continue;
    }
    const letter = b[p + 1]!;
    if (letter !== 0x75) {
      out[at++] = simple[letter]!;
      p += 2;
      continue;
    }
    let code = hex4(b, p + 2);
    p += 6;
    if (code >= 0xd800 && code < 0xe000) {
      const paired = code < 0xdc00 && p + 6 <= end && b[p] === 0x5c && b[p + 1] === 0x75;
      const low = paired ? hex4(b, p + 2) : 0;
      if (low < 0xdc00 || low > 0xdfff) return -1;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      p += 6;
    }
    at = putUtf8(out, at, code);
  }
  return at;
}
