import { KafkaError } from '../errors.ts';

const two32 = 2 ** 32;

/** Reads Kafka's primitive types from one answer. @throws KafkaError PROTOCOL where the answer is too short */
export class WireReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  int8(): number {
    return this.bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#take(4));
  }

  int64(): number {
    const at = this.#take(8);
    return this.bytes.readInt32BE(at) * two32 + this.bytes.readUInt32BE(at + 4);
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > two32) throw new KafkaError('PROTOCOL', 'a varint in an answer has no end');
    }
  }

  string(): string {
    const length = this.int16();
    return length < 0 ? '' : this.utf8(length);
  }

  compactString(): string | null {
    const length = this.uvarint();
    return length === 0 ? null : this.utf8(length - 1);
  }

  compactBytes(): Buffer | null {
    const length = this.uvarint();
    if (length === 0) return null;
    const at = this.#take(length - 1);
    return this.bytes.subarray(at, this.at);
  }

  array<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(this.uvarint() - 1, read);
  }

  uuid(): Buffer {
    const at = this.#take(16);
    return this.bytes.subarray(at, this.at);
  }

  /** Passes over optional fields. */
  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.#take(this.uvarint());
    }
  }

  utf8(length: number): string {
    const at = this.#take(length);
    return this.bytes.toString('utf8', at, this.at);
  }

  #items<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  /** Where the next `count` bytes begin. */
  #take(count: number): number {
    const at = this.at;
    if (count < 0 || at + count > this.end)
      throw new KafkaError('PROTOCOL', `an answer of ${this.end} bytes ends too early`);
    this.at = at + count;
    return at;
  }
}
