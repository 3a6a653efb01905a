const slotCount = 1024;
/** Longer texts are seldom repeated. */
export const cachedTextBytesMax = 24;

/**
 * Short ASCII texts met before, by their bytes: the keys of objects, cities, countries. Saves building them again, and
 * states that are restored share them. Direct-mapped: a newer text takes the slot.
 */
export class TextCache {
  readonly #slots: string[] = new Array<string>(slotCount).fill('');

  /** The text of bytes[start, end); null when they aren't short ASCII. */
  ascii(bytes: Uint8Array, start: number, end: number): string | null {
    const length = end - start;
    if (length > cachedTextBytesMax) return null;
    let hash = length;
    let high = 0;
    for (let i = start; i < end; i++) {
      const b = bytes[i]!;
      high |= b;
      hash = Math.imul(hash ^ b, 0x01000193);
    }
    if (high >= 0x80) return null;
    const slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
    const known = this.#slots[slot]!;
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return known;
    }
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
    this.#slots[slot] = text;
    return text;
  }
}
