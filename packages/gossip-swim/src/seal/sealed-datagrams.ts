import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { isText, nodeIdBytesMax } from '@holdfast/membership';
import { ByteFormatError, ByteReader, ByteWriter, type NodeId } from '@holdfast/model';
import type { DatagramSeal } from './datagram-seal.ts';
import type { KeyRing } from './key-ring.ts';
import { ReplayWindow } from './replay-window.ts';

/** Differs from the first byte of every plain datagram. */
const sealedMark = 0xa7;
const nonceBytes = 12;
const tagBytes = 16;
const innerBytesMax = 1 + nodeIdBytesMax + 36 + 8 + 8 + 2;
/** Senders whose counters are remembered; the one heard longest ago gives way. */
const sendersMax = 2_048;

/**
 * How a cluster gets from plain to sealed without a gap, each step on all nodes before the next:
 * `sendPlain` (opens both), `acceptPlain` (seals, opens both), `strict` (sealed only).
 */
export type SealMode = 'strict' | 'acceptPlain' | 'sendPlain';

export interface SealIdentity {
  readonly id: NodeId;
  readonly uuid: string;
  /** The boot epoch: raised at each start, so a counter that begins anew isn't a replay. */
  readonly startCounter: number;
}

interface Sender {
  readonly startCounter: number;
  readonly window: ReplayWindow;
}

/**
 * Datagrams under AES-256-GCM: u8 mark, 12 bytes nonce, ciphertext, 16 bytes tag. Inside: text sender id, text uuid of its
 * data folder, varint start counter, varint counter, then the datagram. The cluster's label is authenticated with it, so
 * clusters that share a key by mistake still don't mix. Each datagram opens once.
 *
 * A nonce is drawn for each: 2^32 datagrams per key is where two might meet, years of gossip; change keys before.
 * A process that has just started knows no counters: recorded datagrams may pass it until the sender is heard.
 */
export class SealedDatagrams implements DatagramSeal {
  readonly overheadBytes = 1 + nonceBytes + tagBytes + innerBytesMax;
  readonly #ring: KeyRing;
  readonly #label: Buffer;
  readonly #self: SealIdentity;
  readonly #mode: SealMode;
  readonly #senders = new Map<string, Sender>();
  #counter = 0;

  constructor(ring: KeyRing, clusterName: string, self: SealIdentity, mode: SealMode = 'strict') {
    this.#ring = ring;
    this.#label = Buffer.from(`holdfast gossip 1 ${clusterName}`);
    this.#self = self;
    this.#mode = mode;
  }

  seal(datagram: Uint8Array): Uint8Array {
    if (this.#mode === 'sendPlain') return datagram;
    const { id, uuid, startCounter } = this.#self;
    const inner = new ByteWriter(1400)
      .text(id)
      .text(uuid)
      .varint(startCounter)
      .varint(++this.#counter)
      .raw(datagram);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#ring.primary.secret, nonce).setAAD(this.#label);
    const sealed = cipher.update(inner.finish());
    cipher.final();
    return Buffer.concat([Uint8Array.of(sealedMark), nonce, sealed, cipher.getAuthTag()]);
  }

  open(bytes: Uint8Array): Uint8Array | null {
    if (bytes[0] !== sealedMark) return this.#mode === 'strict' ? null : bytes;
    if (bytes.length < 1 + nonceBytes + tagBytes) return null;
    for (const { secret } of this.#ring.keys) {
      const inner = this.#decrypt(secret, bytes);
      if (inner !== null) return this.#unwrap(inner);
    }
    return null;
  }

  #decrypt(secret: Uint8Array, bytes: Uint8Array): Uint8Array | null {
    const nonce = bytes.subarray(1, 1 + nonceBytes);
    const tagAt = bytes.length - tagBytes;
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv('aes-256-gcm', secret, nonce, options).setAAD(this.#label);
    decipher.setAuthTag(bytes.subarray(tagAt));
    const inner = decipher.update(bytes.subarray(1 + nonceBytes, tagAt));
    try {
      decipher.final();
      return inner;
    } catch {
      // The only thing it can throw: the tag doesn't match.
      return null;
    }
  }

  #unwrap(inner: Uint8Array): Uint8Array | null {
    try {
      const reader = new ByteReader(inner);
      const id = reader.text();
      const uuid = reader.text();
      const startCounter = reader.varint();
      const counter = reader.varint();
      if (!isText(id, nodeIdBytesMax) || !isText(uuid, 36)) return null;
      return this.#isFresh(`${uuid} ${id}`, startCounter, counter) ? inner.subarray(reader.position) : null;
    } catch (error) {
      if (error instanceof ByteFormatError) return null;
      throw error;
    }
  }

  #isFresh(name: string, startCounter: number, counter: number): boolean {
    let sender = this.#senders.get(name);
    if (sender !== undefined && startCounter < sender.startCounter) return false;
    if (sender === undefined || startCounter > sender.startCounter) {
      sender = { startCounter, window: new ReplayWindow() };
    }
    const fresh = sender.window.take(counter);
    // A map keeps the order of insertion: put anew, it is the one heard last.
    this.#senders.delete(name);
    this.#senders.set(name, sender);
    if (this.#senders.size > sendersMax) this.#senders.delete(this.#senders.keys().next().value!);
    return fresh;
  }
}
