import { isStateRoot } from './clone-state.ts';
import type { StateSpec } from './definition.ts';
import { StateError } from './errors.ts';
import { type DecodeText, StateDecoder } from './state-decoder.ts';
import { StateEncoder } from './state-encoder.ts';
import { form } from './state-format.ts';

/** Default limit of a stored state, in bytes. Rows are written whole: a state that grows without end slows everybody. */
export const stateBytesMaxDefault = 1 << 20;

/** Writes and reads the states of one job, version number in front, older versions upgraded step by step. */
export class StateStore<S> {
  readonly #spec: StateSpec<S>;
  readonly #bytesMax: number;
  readonly #encoder: StateEncoder;
  readonly #decoder: StateDecoder;
  readonly #header: Uint8Array;

  constructor(spec: StateSpec<S>, decodeText: DecodeText, bytesMax = spec.bytesMax ?? stateBytesMaxDefault) {
    this.#spec = spec;
    this.#bytesMax = bytesMax;
    this.#encoder = new StateEncoder(bytesMax);
    this.#decoder = new StateDecoder(decodeText);
    this.#header = header(spec.codec === undefined ? form.plain : form.custom, spec.version);
  }

  /** @throws StateError STATE_NOT_PLAIN, STATE_TOO_LARGE, STATE_CODEC; whatever the author's codec throws */
  encode(state: S): Uint8Array {
    const codec = this.#spec.codec;
    if (codec === undefined) return this.#encoder.encode(this.#header, state);
    const body: unknown = codec.encode(state);
    // A text or a list would be taken too, as bytes that no codec reads.
    if (!(body instanceof Uint8Array)) throw new StateError('STATE_CODEC', 'state.codec.encode gave no Uint8Array');
    const bytes = new Uint8Array(this.#header.length + body.length);
    bytes.set(this.#header);
    bytes.set(body, this.#header.length);
    if (bytes.length > this.#bytesMax) {
      throw new StateError('STATE_TOO_LARGE', `the state takes ${bytes.length} bytes, more than ${this.#bytesMax}`);
    }
    return bytes;
  }

  /** @throws StateError STATE_FORMAT, STATE_VERSION, STATE_UPGRADE */
  decode(bytes: Uint8Array): S {
    let version = 0;
    let at = 1;
    for (let scale = 1; ; scale *= 128) {
      const b = bytes[at++];
      if (b === undefined || at > 6) throw new StateError('STATE_FORMAT', 'not a stored state: no version in front');
      version += (b & 127) * scale;
      if (b < 128) break;
    }
    const current = this.#spec.version;
    this.#checkSteps(version, current);
    let state = this.#decodeBody(bytes, at, version);
    for (let from = version; from < current; from++) {
      try {
        state = this.#spec.upgrade![from]!(state);
      } catch (cause) {
        throw new StateError('STATE_UPGRADE', `the upgrade step from state version ${from} threw`, '', { cause });
      }
    }
    // With a codec a state may be of any class, but it is a state: as of `initial`, so of an upgrade or the codec.
    const withCodec = this.#spec.codec !== undefined;
    if (withCodec ? typeof state !== 'object' || state === null : !isStateRoot(state)) {
      const step = version === current ? 'the stored value' : `the upgrade to state version ${current}`;
      throw new StateError('STATE_UPGRADE', `${step} gives no object${withCodec ? '' : ', array, Map or Set'}`);
    }
    return state as S;
  }

  #checkSteps(version: number, current: number): void {
    if (version > current) {
      const text = `the state was written by version ${version}, this job knows up to ${current}: deploy the newer job`;
      throw new StateError('STATE_VERSION', text);
    }
    for (let from = version; from < current; from++) {
      if (this.#spec.upgrade?.[from] === undefined) {
        const text = `the state was written by version ${version}, and state.upgrade has no step ${from} (to ${from + 1})`;
        throw new StateError('STATE_VERSION', text);
      }
    }
  }

  #decodeBody(bytes: Uint8Array, at: number, version: number): unknown {
    if (bytes[0] === form.plain) return this.#decoder.decode(bytes, at);
    if (bytes[0] !== form.custom) throw new StateError('STATE_FORMAT', `not a stored state: unknown form ${bytes[0]}`);
    const codec = this.#spec.codec;
    if (codec === undefined) {
      throw new StateError(
        'STATE_FORMAT',
        `version ${version} was written by a state.codec that the job no longer has`,
      );
    }
    try {
      return codec.decode(bytes.subarray(at), version);
    } catch (cause) {
      throw new StateError('STATE_FORMAT', `state.codec can't read version ${version}`, '', { cause });
    }
  }
}

function header(formByte: number, version: number): Uint8Array {
  const bytes = [formByte];
  let rest = version;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
