import { errorText } from '@holdfast/model';
import { saslAuthenticate, saslHandshake } from '../apis/sasl.ts';
import { brokerError, KafkaError } from '../errors.ts';
import type { SaslOptions } from '../options.ts';
import { brokerErrors } from './broker-errors.ts';
import type { Connection } from './connection.ts';
import { ScramClient } from './scram.ts';

/**
 * Authenticates a new connection. Returns for how long it holds, 0 for ever.
 * @throws KafkaError DENIED: says which user and mechanism, never the password or token; UNREACHABLE where that can't be read
 */
export async function authenticate(connection: Connection, sasl: SaslOptions): Promise<number> {
  const { mechanism } = sasl;
  const { host, port } = connection.address;
  const who = sasl.mechanism === 'OAUTHBEARER' ? 'a token' : `user ${sasl.username}`;
  const what = `${host}:${port}: SASL ${mechanism} with ${who}`;
  const handshake = await connection.request(saslHandshake, mechanism);
  if (handshake.error === brokerErrors.unsupportedSaslMechanism) {
    throw new KafkaError('DENIED', `${what}: the broker offers ${handshake.mechanisms.join(', ')}`);
  }
  if (handshake.error !== 0) throw brokerError(what, handshake.error);
  const send = async (bytes: Uint8Array) => {
    const answer = await connection.request(saslAuthenticate, bytes);
    if (answer.error !== 0) throw brokerError(what, answer.error, answer.message);
    return answer;
  };
  if (sasl.mechanism === 'OAUTHBEARER') {
    const token = await secretOf(sasl.token, what);
    const extensions = Object.entries(sasl.extensions ?? {}).map(([name, value]) => `${name}=${value}\x01`);
    const answer = await send(Buffer.from(`n,,\x01auth=Bearer ${token}\x01${extensions.join('')}\x01`));
    // A refused token is answered by a JSON text, not by an error; a second message gets the error.
    if (answer.bytes.length > 0) await send(Buffer.from('\x01'));
    return answer.lifetimeMs;
  }
  const { username, password } = sasl;
  const secret = typeof password === 'string' ? password : await secretOf(password, what);
  if (mechanism === 'PLAIN') return (await send(Buffer.from(`\0${username}\0${secret}`))).lifetimeMs;
  const scram = new ScramClient(mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', username, secret);
  const first = await send(scram.first());
  const final = await send(scram.final(first.bytes));
  scram.verify(final.bytes);
  return final.lifetimeMs;
}

/** What cannot be read now, since it is just being written anew, may be there at the next try. */
async function secretOf(read: () => string | Promise<string>, what: string): Promise<string> {
  try {
    return await read();
  } catch (cause) {
    throw new KafkaError('UNREACHABLE', `${what}: ${errorText(cause)}`, { cause });
  }
}
