const two32 = 2 ** 32;

/**
 * Growing big-endian writer of Kafka's primitive types. Offsets and times are numbers: they are exact to 2^53.
 * Source: Kafka protocol guide, "Protocol Primitive Types".
 */
export class WireWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  int8(value: number): this {
    this.#reserve(1);
    this.#length = this.#bytes.writeInt8(value, this.#length);
    return this;
  }

  int16(value: number): this {
    this.#reserve(2);
    this.#length = this.#bytes.writeInt16BE(value, this.#length);
    return this;
  }

  int32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
    return this;
  }

  uint32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
    return this;
  }

  int64(value: number): this {
    this.#reserve(8);
    const hi = Math.floor(value / two32);
    this.#bytes.writeInt32BE(hi, this.#length);
    this.#bytes.writeUInt32BE(value - hi * two32, this.#length + 4);
    this.#length += 8;
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** Unsigned 32-bit varint. */
  uvarint(value: number): this {
    this.#reserve(5);
    while (value >= 0x80) {
      this.#bytes[this.#length++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** Zigzag varint, up to 2^52 either way: record lengths, deltas of offset and time. */
  varint(value: number): this {
    this.#reserve(8);
    let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
    while (zigzag >= 0x80) {
      this.#bytes[this.#length++] = (zigzag % 0x80) | 0x80;
      zigzag = Math.floor(zigzag / 0x80);
    }
    this.#bytes[this.#length++] = zigzag;
    return this;
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A string of the protocol's older form. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value);
    return this.int16(bytes.length).raw(bytes);
  }

  compactString(value: string | null): this {
    return this.compactBytes(value === null ? null : Buffer.from(value));
  }

  compactBytes(value: Uint8Array | null): this {
    return value === null ? this.uvarint(0) : this.uvarint(value.length + 1).raw(value);
  }

  compactArray<T>(values: readonly T[], write: (value: T) => void): this {
    this.uvarint(values.length + 1);
    for (const value of values) write(value);
    return this;
  }

  uuid(value: Uint8Array): this {
    return this.raw(value);
  }

  /** The end of a structure, without optional fields. */
  tags(): this {
    return this.uvarint(0);
  }

  /** Overwrites four bytes written earlier. */
  patchInt32(at: number, value: number): this {
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  patchUint32(at: number, value: number): this {
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  /** What was written, not copied: the writer is not used afterwards. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, wanted));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
