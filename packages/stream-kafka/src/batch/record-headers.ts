import { WireReader } from '../wire/wire-reader.ts';

/**
 * A record's headers, from where their number is to the record's end; of a name that repeats, the last. A null value is
 * an empty one. Of a block that is malformed, what lies before the fault: any producer may have written it, and who asks
 * has no other record to go on with.
 */
export function readHeaders(bytes: Buffer, at: number, end: number): Readonly<Record<string, string>> {
  const reader = new WireReader(bytes, at, end);
  const headers: Record<string, string> = {};
  try {
    for (let left = zigzag(reader); left > 0; left--) {
      const [name, value] = [text(reader), text(reader)];
      Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
    }
  } catch {
    // The reader says nothing but that the bytes end too early, or that a varint has no end.
  }
  return headers;
}

function text(reader: WireReader): string {
  return reader.utf8(Math.max(zigzag(reader), 0));
}

function zigzag(reader: WireReader): number {
  const value = reader.uvarint();
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
