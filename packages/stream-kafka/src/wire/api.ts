import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * One request of Kafka's protocol, in the one version that the adapter speaks: old enough for Kafka 3.1, and still
 * spoken by the newest. Each has a file of its own, with the form of request and answer.
 */
export interface Api<Request, Answer> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** The newer form: compact lengths and optional fields. Decides the headers. */
  readonly flexible: boolean;
  write(writer: WireWriter, request: Request): void;
  read(reader: WireReader): Answer;
}
