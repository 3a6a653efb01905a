import { KafkaError } from '../errors.ts';
import { WireReader } from '../wire/wire-reader.ts';

/**
 * A record's headers, from where their number is; of a name that repeats, the last. A null value is an empty one.
 * @throws KafkaError PROTOCOL when they reach beyond the bytes
 */
export function readHeaders(bytes: Buffer, at: number): Readonly<Record<string, string>> {
  const reader = new WireReader(bytes, at);
  const headers: Record<string, string> = {};
  for (let left = zigzag(reader); left > 0; left--) {
    const name = text(reader);
    Object.defineProperty(headers, name, { value: text(reader), enumerable: true, configurable: true, writable: true });
  }
  return headers;
}

function text(reader: WireReader): string {
  const length = Math.max(zigzag(reader), 0);
  const end = reader.at + length;
  if (end > reader.end) throw new KafkaError('PROTOCOL', 'a header reaches beyond its record batch');
  const value = reader.bytes.toString('utf8', reader.at, end);
  reader.at = end;
  return value;
}

function zigzag(reader: WireReader): number {
  const value = reader.uvarint();
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
