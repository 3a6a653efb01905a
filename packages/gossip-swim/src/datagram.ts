import { crc32c, encodeUtf8 } from '@holdfast/model';
import type { DatagramSeal } from './seal/datagram-seal.ts';

const magic = 0x4846;
/** What speaks in them: the two adapters don't understand each other, and shall not try. */
export const datagramFormats = { npmSwim: 1, lifeguard: 2 } as const;
export type DatagramFormat = (typeof datagramFormats)[keyof typeof datagramFormats];

const headerBytes = 7;

/** Why a datagram was not taken in; each is counted apart. */
export type DatagramRefusal = 'oversized' | 'unsealed' | 'foreign';

/**
 * Frames what is sent: u16 magic, u8 format, u32 label of the cluster's name (big-endian), body; then the seal around
 * it all. The label keeps two clusters apart that were given each other's addresses by mistake; it is no protection.
 */
export class DatagramFramer {
  readonly #seal: DatagramSeal;
  readonly #bytesMax: number;
  readonly #header = Buffer.alloc(headerBytes);

  constructor(format: DatagramFormat, clusterName: string, seal: DatagramSeal, bytesMax: number) {
    this.#seal = seal;
    this.#bytesMax = bytesMax;
    this.#header.writeUInt16BE(magic, 0);
    this.#header.writeUInt8(format, 2);
    this.#header.writeUInt32BE(crc32c(encodeUtf8(clusterName)) >>> 0, 3);
  }

  /** Room for a body. */
  get bodyBytesMax(): number {
    return this.#bytesMax - headerBytes - this.#seal.overheadBytes;
  }

  wrap(body: Uint8Array): Uint8Array {
    return this.#seal.seal(Buffer.concat([this.#header, body]));
  }

  unwrap(datagram: Uint8Array): Uint8Array | DatagramRefusal {
    if (datagram.length > this.#bytesMax) return 'oversized';
    const opened = this.#seal.open(datagram);
    if (opened === null) return 'unsealed';
    if (opened.length <= headerBytes || this.#header.compare(opened, 0, headerBytes) !== 0) return 'foreign';
    return opened.subarray(headerBytes);
  }
}
