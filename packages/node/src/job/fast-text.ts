import { Buffer, isUtf8 } from 'node:buffer';

/** Bytes to text by the platform; null when they aren't UTF-8. The pure layers have a portable, slower one. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return isUtf8(view) ? view.toString('utf8') : null;
}

export function encodeText(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
