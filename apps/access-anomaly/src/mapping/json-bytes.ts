/**
 * Steps over JSON in raw UTF-8 bytes, checking all of the grammar and the encoding on the way. Each function takes the
 * position where something begins and gives the position after it, or -1 when it isn't valid JSON (RFC 8259) in UTF-8.
 */

const quote = 0x22;
const backslash = 0x5c;

/** 0 for bytes that a string may hold as they are, one by one. */
const special = new Uint8Array(256);
special.fill(1, 0, 0x20);
special.fill(1, 0x80);
special[quote] = 1;
special[backslash] = 1;

export function skipSpace(b: Uint8Array, p: number, end: number): number {
  while (p < end) {
    const c = b[p]!;
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    p++;
  }
  return p;
}

/** After one character of two to four bytes (RFC 3629: no overlong forms, no surrogates). */
function skipMultibyte(b: Uint8Array, p: number, end: number): number {
  const c = b[p]!;
  const more = c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 0;
  if (more === 0 || p + more >= end) return -1;
  const second = b[p + 1]!;
  if ((c === 0xe0 && second < 0xa0) || (c === 0xed && second > 0x9f)) return -1;
  if ((c === 0xf0 && second < 0x90) || (c === 0xf4 && second > 0x8f)) return -1;
  for (let i = 1; i <= more; i++) if ((b[p + i]! & 0xc0) !== 0x80) return -1;
  return p + more + 1;
}

/** Value of a hex digit, or -1. */
export function hexValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function skipEscape(b: Uint8Array, p: number, end: number): number {
  if (p + 1 >= end) return -1;
  switch (b[p + 1]) {
    case quote:
    case backslash:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return p + 2;
    case 0x75:
      if (p + 5 >= end) return -1;
      for (let i = 2; i < 6; i++) if (hexValue(b[p + i]!) < 0) return -1;
      return p + 6;
    default:
      return -1;
  }
}

/** To the next byte that isn't an ordinary ASCII character of a string, or `end`. */
export function skipPlain(b: Uint8Array, p: number, end: number): number {
  while (p < end && special[b[p]!] === 0) p++;
  return p;
}

/** @param p after the opening quote @returns after the closing one */
export function skipString(b: Uint8Array, p: number, end: number): number {
  for (;;) {
    p = skipPlain(b, p, end);
    if (p >= end) return -1;
    const c = b[p]!;
    if (c === quote) return p + 1;
    p = c === backslash ? skipEscape(b, p, end) : c >= 0x80 ? skipMultibyte(b, p, end) : -1;
    if (p < 0) return -1;
  }
}

function skipDigits(b: Uint8Array, p: number, end: number): number {
  while (p < end && b[p]! >= 0x30 && b[p]! <= 0x39) p++;
  return p;
}

export function skipNumber(b: Uint8Array, p: number, end: number): number {
  if (b[p] === 0x2d) p++;
  const whole = p;
  p = skipDigits(b, p, end);
  if (p === whole || (b[whole] === 0x30 && p > whole + 1)) return -1;
  if (p < end && b[p] === 0x2e) {
    const fraction = p + 1;
    p = skipDigits(b, fraction, end);
    if (p === fraction) return -1;
  }
  if (p < end && (b[p]! | 0x20) === 0x65) {
    p++;
    if (p < end && (b[p] === 0x2b || b[p] === 0x2d)) p++;
    const exponent = p;
    p = skipDigits(b, exponent, end);
    if (p === exponent) return -1;
  }
  return p;
}

/** `true`, `false` or `null`. */
function skipLiteral(b: Uint8Array, p: number, end: number): number {
  const c = b[p];
  if (c === 0x74) return p + 4 <= end && b[p + 1] === 0x72 && b[p + 2] === 0x75 && b[p + 3] === 0x65 ? p + 4 : -1;
  if (c === 0x6e) return p + 4 <= end && b[p + 1] === 0x75 && b[p + 2] === 0x6c && b[p + 3] === 0x6c ? p + 4 : -1;
  if (c !== 0x66 || p + 5 > end) return -1;
  return b[p + 1] === 0x61 && b[p + 2] === 0x6c && b[p + 3] === 0x73 && b[p + 4] === 0x65 ? p + 5 : -1;
}

function skipArray(b: Uint8Array, p: number, end: number, depthLeft: number): number {
  if (depthLeft === 0) return -1;
  p = skipSpace(b, p + 1, end);
  if (p < end && b[p] === 0x5d) return p + 1;
  for (;;) {
    p = skipValue(b, p, end, depthLeft - 1);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end) return -1;
    if (b[p] === 0x5d) return p + 1;
    if (b[p] !== 0x2c) return -1;
    p = skipSpace(b, p + 1, end);
  }
}

function skipObject(b: Uint8Array, p: number, end: number, depthLeft: number): number {
  if (depthLeft === 0) return -1;
  p = skipSpace(b, p + 1, end);
  if (p < end && b[p] === 0x7d) return p + 1;
  for (;;) {
    if (p >= end || b[p] !== quote) return -1;
    p = skipString(b, p + 1, end);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end || b[p] !== 0x3a) return -1;
    p = skipValue(b, skipSpace(b, p + 1, end), end, depthLeft - 1);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end) return -1;
    if (b[p] === 0x7d) return p + 1;
    if (b[p] !== 0x2c) return -1;
    p = skipSpace(b, p + 1, end);
  }
}

/**
 * Any value.
 * @param p where it begins, spaces already passed
 * @param depthLeft how many arrays and objects may still be opened; -1 comes back when more are
 */
export function skipValue(b: Uint8Array, p: number, end: number, depthLeft: number): number {
  if (p >= end) return -1;
  const c = b[p]!;
  if (c === quote) return skipString(b, p + 1, end);
  if (c === 0x7b) return skipObject(b, p, end, depthLeft);
  if (c === 0x5b) return skipArray(b, p, end, depthLeft);
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return skipNumber(b, p, end);
  return skipLiteral(b, p, end);
}

/** How deep arrays and objects nest; counted by brackets outside strings, so that it needs no recursion. */
export function nestingDepth(b: Uint8Array, p: number, end: number): number {
  let depth = 0;
  let deepest = 0;
  while (p < end) {
    const c = b[p++]!;
    if (c === quote) {
      while (p < end && b[p] !== quote) p += b[p] === backslash ? 2 : 1;
      p++;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) deepest = depth;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}
