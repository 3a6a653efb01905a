import { decodeNodeMeta, encodeNodeMeta, isText, type NodeMeta, nodeIdBytesMax } from '@holdfast/membership';
import { ByteFormatError, ByteReader, ByteWriter, decodeUtf8, type NodeId, nodeId } from '@holdfast/model';

/** What rides as "meta" on a member's entry in swim: who it is, and whether it said goodbye. */
export interface Envelope {
  readonly id: NodeId;
  /** swim has no leave message: a member that leaves raises its incarnation once more with this flag. */
  readonly left: boolean;
  readonly meta: NodeMeta;
}

const leftFlag = 1;

/**
 * u8 flags, text id, node meta; as a string with one byte per character, since swim clones metas deeply and its clone
 * breaks typed arrays.
 */
export function encodeEnvelope({ id, left, meta }: Envelope): string {
  const bytes = new ByteWriter()
    .u8(left ? leftFlag : 0)
    .text(id)
    .raw(encodeNodeMeta(meta))
    .finish();
  return bytesToText(bytes);
}

/** null for anything that `encodeEnvelope` can't have made: it comes from outside. */
export function decodeEnvelope(text: string): Envelope | null {
  const bytes = textToBytes(text);
  try {
    const reader = new ByteReader(bytes);
    const flags = reader.u8();
    const id = decodeUtf8(reader.bytes());
    const meta = decodeNodeMeta(bytes.subarray(reader.position));
    if (id === null || !isText(id, nodeIdBytesMax) || 'code' in meta) return null;
    return { id: nodeId(id), left: (flags & leftFlag) !== 0, meta };
  } catch (error) {
    if (error instanceof ByteFormatError) return null;
    throw error;
  }
}

export function bytesToText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function textToBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
