import { createHash } from 'node:crypto';

export const keyBytes = 32;
export const keysMax = 8;

export interface RingKey {
  /** Of the key, for people: the begin of its hash. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/**
 * The keys of a cluster's gossip: the first seals, all open. A key is changed without a gap in three steps, each on all
 * nodes before the next begins: install the new one, use it, remove the old one.
 */
export class KeyRing {
  #keys: readonly RingKey[];

  /** @param secrets the first seals; at least one, each of 32 bytes */
  constructor(secrets: readonly Uint8Array[]) {
    this.#keys = keysOf(secrets);
  }

  get primary(): RingKey {
    return this.#keys[0]!;
  }

  /** The primary first. */
  get keys(): readonly RingKey[] {
    return this.#keys;
  }

  /** Opens with it from now on, and seals as before. @returns its id */
  install(secret: Uint8Array): string {
    this.#keys = keysOf([...this.#keys.map((key) => key.secret), secret]);
    return keyId(secret);
  }

  /** Seals with it from now on. @throws RangeError for a key that was not installed */
  use(id: string): void {
    const key = this.#keys.find((one) => one.id === id);
    if (key === undefined) throw new RangeError(`gossip key ${id} is not installed`);
    this.#keys = [key, ...this.#keys.filter((one) => one !== key)];
  }

  /** @throws RangeError for the key that seals */
  remove(id: string): void {
    if (this.primary.id === id) throw new RangeError(`gossip key ${id} is in use: use another one first`);
    this.#keys = this.#keys.filter((key) => key.id !== id);
  }

  /** All at once, as a key file has them. */
  replace(secrets: readonly Uint8Array[]): void {
    this.#keys = keysOf(secrets);
  }
}

/** Reads a key file: one key per line in base64, the first seals; `#` begins a comment. @throws RangeError */
export function parseKeyFile(text: string): Uint8Array[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const secrets: Uint8Array[] = [];
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    const secret = new Uint8Array(Buffer.from(line, 'base64'));
    // The line itself is a secret, and stays out of the error.
    if (secret.length !== keyBytes) throw new RangeError(`line ${i + 1}: expected 32 bytes in base64`);
    secrets.push(secret);
  }
  keysOf(secrets);
  return secrets;
}

function keysOf(secrets: readonly Uint8Array[]): readonly RingKey[] {
  const keys = new Map<string, RingKey>();
  for (const secret of secrets) {
    if (secret.length !== keyBytes) throw new RangeError(`gossip key of ${secret.length} bytes, expected ${keyBytes}`);
    const id = keyId(secret);
    if (!keys.has(id)) keys.set(id, { id, secret: Uint8Array.from(secret) });
  }
  if (keys.size === 0 || keys.size > keysMax) {
    throw new RangeError(`${keys.size} gossip keys, expected 1 to ${keysMax}`);
  }
  return [...keys.values()];
}

function keyId(secret: Uint8Array): string {
  return createHash('sha256').update('holdfast gossip key').update(secret).digest('hex').slice(0, 8);
}
