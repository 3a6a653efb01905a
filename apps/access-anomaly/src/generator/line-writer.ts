import { Buffer } from 'node:buffer';
import { formatIsoTime } from '../iso-time.ts';
import { cities, userAgents } from './cities.ts';

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

/** Longest line it writes, so that callers can size buffers. */
export const lineBytesMax = 512;

const userPart = bytesOf('{"user":"user-');
const timePart = bytesOf('","time":"');
const outcomeParts = [bytesOf('","outcome":"failure","ip":"'), bytesOf('","outcome":"success","ip":"')];
const dayMs = 86_400_000;

/** Writes log lines into a buffer from ready-made pieces: no text, no JSON.stringify per record. */
export class LineWriter {
  /** After the address: everything that a city decides, then the device, then the end. */
  readonly #cityParts = cities.map(([city, country, lat, lon], i) =>
    bytesOf(
      `","city":${JSON.stringify(city)},"country":"${country}","lat":${lat},"lon":${lon},"radiusKm":20,"asn":${asnOf(i)},"userAgent":`,
    ),
  );
  readonly #agentParts = userAgents.map((agent) => bytesOf(`${JSON.stringify(agent)}}`));
  #day = Number.NaN;
  #date: Uint8Array = new Uint8Array(11);

  /**
   * Writes one line without line end.
   * @param out has `lineBytesMax` bytes from `at` on
   * @param network third of the address: a /24 in 10.0.0.0/8
   * @returns where it ends
   */
  write(
    out: Uint8Array,
    at: number,
    user: number,
    unixMs: number,
    success: boolean,
    network: number,
    host: number,
    city: number,
    agent: number,
  ): number {
    at = put(out, at, userPart);
    at = putPadded(out, at, user, 6);
    at = put(out, at, timePart);
    at = this.#putTime(out, at, unixMs);
    at = put(out, at, outcomeParts[success ? 1 : 0]!);
    out[at++] = 0x31;
    out[at++] = 0x30;
    out[at++] = 0x2e;
    at = putNumber(out, at, (network >> 8) & 255);
    out[at++] = 0x2e;
    at = putNumber(out, at, network & 255);
    out[at++] = 0x2e;
    at = putNumber(out, at, host);
    at = put(out, at, this.#cityParts[city]!);
    return put(out, at, this.#agentParts[agent]!);
  }

  #putTime(out: Uint8Array, at: number, unixMs: number): number {
    const day = Math.floor(unixMs / dayMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = bytesOf(formatIsoTime(day * dayMs).slice(0, 11));
    }
    at = put(out, at, this.#date);
    const ms = unixMs - day * dayMs;
    const seconds = Math.floor(ms / 1000);
    at = putPadded(out, at, Math.floor(seconds / 3600), 2);
    out[at++] = 0x3a;
    at = putPadded(out, at, Math.floor(seconds / 60) % 60, 2);
    out[at++] = 0x3a;
    at = putPadded(out, at, seconds % 60, 2);
    out[at++] = 0x2e;
    at = putPadded(out, at, ms % 1000, 3);
    out[at++] = 0x5a;
    return at;
  }
}

/** Each city has a carrier of its own, from the numbers reserved for documentation and private use. */
export function asnOf(city: number): number {
  return 64_512 + city;
}

function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** At least `width` digits. */
function putPadded(out: Uint8Array, at: number, value: number, width: number): number {
  let digits = width;
  for (let power = 10 ** width; value >= power; power *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    out[i] = 0x30 + (value % 10);
    value = Math.floor(value / 10);
  }
  return at + digits;
}

function putNumber(out: Uint8Array, at: number, value: number): number {
  return putPadded(out, at, value, 1);
}
