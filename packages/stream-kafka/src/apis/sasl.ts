import type { Api } from '../wire/api.ts';

export interface SaslHandshakeAnswer {
  readonly error: number;
  readonly mechanisms: readonly string[];
}

/** SaslHandshake v1: mechanism STRING => error_code INT16, [mechanism STRING]. */
export const saslHandshake: Api<string, SaslHandshakeAnswer> = {
  name: 'SaslHandshake',
  key: 17,
  version: 1,
  flexible: false,
  write: (w, mechanism) => w.string(mechanism),
  read: (r) => ({ error: r.int16(), mechanisms: r.array(() => r.string()) }),
};

export interface SaslAuthenticateAnswer {
  readonly error: number;
  readonly message: string | null;
  readonly bytes: Buffer;
  /** How long the authentication holds; 0: for ever. */
  readonly lifetimeMs: number;
}

/** SaslAuthenticate v2: auth_bytes => error_code INT16, error_message, auth_bytes, session_lifetime_ms INT64. */
export const saslAuthenticate: Api<Uint8Array, SaslAuthenticateAnswer> = {
  name: 'SaslAuthenticate',
  key: 36,
  version: 2,
  flexible: true,
  write: (w, bytes) => w.compactBytes(bytes).tags(),
  read: (r) => ({
    error: r.int16(),
    message: r.compactString(),
    bytes: r.compactBytes() ?? Buffer.alloc(0),
    lifetimeMs: r.int64(),
  }),
};
