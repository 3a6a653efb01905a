import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { KafkaError } from '../errors.ts';

export type ScramHash = 'sha256' | 'sha512';

/** A server that asks for fewer could learn the password by trying. Source: RFC 5802, 4. */
const iterationsMin = 4096;
/** A server that asks for more would stop this process. */
const iterationsMax = 1_000_000;

/** One SCRAM exchange, as the client. Source: RFC 5802; no channel binding. */
export class ScramClient {
  readonly #hash: ScramHash;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | null = null;

  constructor(hash: ScramHash, username: string, password: string, nonce = randomBytes(18).toString('base64')) {
    this.#hash = hash;
    this.#password = password;
    this.#nonce = nonce;
    this.#firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  first(): Buffer {
    return Buffer.from(`n,,${this.#firstBare}`);
  }

  /** The client's proof, for the server's first message. */
  final(serverFirst: Buffer): Buffer {
    const text = serverFirst.toString();
    const { r: nonce = '', s: salt = '', i = '' } = attributes(text);
    const iterations = Number(i);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) throw refused('changed the nonce');
    if (!(Number.isInteger(iterations) && iterations >= iterationsMin && iterations <= iterationsMax)) {
      throw refused(`asks for ${i} iterations, not ${iterationsMin} to ${iterationsMax}`);
    }
    const bytes = this.#hash === 'sha256' ? 32 : 64;
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), iterations, bytes, this.#hash);
    const clientKey = this.#hmac(salted, 'Client Key');
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const all = `${this.#firstBare},${text},${withoutProof}`;
    const signature = this.#hmac(storedKey, all);
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), all);
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /** The server has to know the password as well. @throws KafkaError DENIED */
  verify(serverFinal: Buffer): void {
    const { v = '', e } = attributes(serverFinal.toString());
    if (e !== undefined) throw refused(`says ${e}`);
    const given = Buffer.from(v, 'base64');
    const expected = this.#serverSignature!;
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw refused('does not prove that it knows the password');
    }
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

function attributes(text: string): Record<string, string | undefined> {
  return Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));
}

function refused(text: string): KafkaError {
  return new KafkaError('DENIED', `SCRAM: the broker ${text}`);
}
