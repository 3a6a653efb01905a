import { encodeUtf8 } from '@holdfast/model';
import { keyBytesMax } from '@holdfast/processor';
import type { KeyValue } from './definition.ts';

/**
 * Bytes of a key as an author names it; a text says why there are none: `no-key` is a skip, others a dead letter.
 * Lone surrogates have no UTF-8: as replacement characters, two users would become one.
 */
export function keyBytesOf(key: KeyValue): Uint8Array | 'no-key' | 'key-not-text' | 'key-too-long' {
  if (key === null || key === undefined || key.length === 0) return 'no-key';
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) return 'key-not-text';
  if (key.length > keyBytesMax) return 'key-too-long';
  if (typeof key === 'string' && hasLoneSurrogate(key)) return 'key-not-text';
  const bytes = typeof key === 'string' ? encodeUtf8(key) : key;
  return bytes.length > keyBytesMax ? 'key-too-long' : bytes;
}

export function hasLoneSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0xd800 || c > 0xdfff) continue;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (c > 0xdbff || next < 0xdc00 || next > 0xdfff) return true;
    i++;
  }
  return false;
}
