/**
 * Stored form of a state. First byte: the form; then a varint, the author's state version; then the value
 * (form 1), or the author's own bytes (form 2).
 *
 * A value is a tag and what belongs to it. Objects name their keys once per state: the first object of a shape defines it
 * (`newShape`, count, keys), later ones refer to it, so that a list of records costs one byte each beside its values.
 * Numbers are little-endian; whole numbers take the least width that holds them.
 */
export const form = { plain: 1, custom: 2 } as const;

export const tag = {
  // 0x00–0x7f: the whole numbers 0–127
  null: 0x80,
  false: 0x81,
  true: 0x82,
  undefined: 0x83,
  u8: 0x84,
  u16: 0x85,
  u32: 0x86,
  /** Six bytes: Unix milliseconds fit. */
  u48: 0x87,
  /** Minus (u32 + 1). */
  negative: 0x88,
  f64: 0x89,
  nan: 0x8a,
  /** Varint length in bytes, UTF-8. */
  text: 0x8b,
  /** Varint length in UTF-16 units, for text with lone surrogates. */
  text16: 0x8c,
  bytes: 0x8d,
  /** Varint length, magnitude, most significant byte first. */
  bigint: 0x8e,
  bigintNegative: 0x8f,
  list: 0x90,
  /** Three or more whole numbers, all within ±2^48: count, then zigzag differences as varints. */
  wholeList: 0x91,
  map: 0x92,
  set: 0x93,
  /** Count, then (key text, value). */
  dictionary: 0x94,
  dictionaryNoPrototype: 0x95,
  /** Count, key texts, then the values. */
  newShape: 0x96,
  newShapeNoPrototype: 0x97,
  /** Varint index of a shape. */
  shape: 0x98,
  // 0xa0–0xbf: UTF-8 of 0–31 bytes
  shortText: 0xa0,
  // 0xc0–0xdf: shapes 0–31
  shortShape: 0xc0,
  // 0xe0–0xff: lists of 0–31
  shortList: 0xe0,
} as const;

/** Objects with more keys are dictionaries: their keys differ from state to state, a shape would not be met again. */
export const shapeKeysMax = 32;
/** Bound of the numbers in a `wholeList`: differences stay exact. */
export const wholeListBound = 2 ** 48;
