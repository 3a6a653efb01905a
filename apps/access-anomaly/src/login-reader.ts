import { Buffer } from 'node:buffer';
import type { ReadResult, RecordReader } from '@holdfast/sdk';
import { KeyScanner } from './mapping/key-scan.ts';
import type { Login } from './mapping/login.ts';
import type { Mapping } from './mapping/mapping.ts';
import { Normaliser } from './mapping/normalise.ts';

type JobRecord = Parameters<RecordReader<Login>['parse']>[0];

/** Reads logins of one format: the ingest finds the user by a byte scan, the holder parses the record. */
export class LoginReader implements RecordReader<Login> {
  readonly #mapping: Mapping;
  readonly #normaliser: Normaliser;

  constructor(mapping: Mapping) {
    this.#mapping = mapping;
    this.#normaliser = new Normaliser(mapping);
  }

  newKeyLocator(): KeyScanner {
    return new KeyScanner(this.#mapping);
  }

  /** The scan at the ingest has checked size, depth, encoding and grammar; what it refuses never comes here. */
  parse(record: JobRecord): ReadResult<Login> {
    const { bytes, valueStart, valueEnd } = record;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + valueStart, valueEnd - valueStart).toString('utf8');
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return { dead: 'bad_json' };
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { dead: 'not_object' };
    const login = this.#normaliser.normalise(parsed, record.timestampUnixMs);
    return 'user' in login ? { value: login } : login;
  }
}
