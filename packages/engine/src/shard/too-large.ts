import { type Job, ownHeaderPrefix } from '@holdfast/processor';
import type { NewRecord } from '../ports/log.ts';

/** Reason of the dead letter that takes the place of an output which its topic takes in no form. */
export const outputTooLargeReason = 'output-too-large';
/** Of such a letter: the topic that refused the output. */
export const outputTopicHeader = 'output-topic';
/** Of such a letter: bytes of the output's value. */
export const outputBytesHeader = 'output-bytes';
/** Of a letter whose value is cut: bytes of the whole one. */
export const truncatedHeader = 'truncated';
/** Value of `key-is` in a letter that has neither its record's key nor its headers. */
export const keyLeftOut = 'cut';
/** What is left of a value that is cut: enough for people to see what it was, and small enough for any usual topic. */
export const cutValueBytes = 64 * 1024;

/** The dead letter of an output that `topic` refuses: no row may count it as published without a trace (PROTOCOL.md 5.3). */
export function letterOfOutput(job: Pick<Job, 'name' | 'version'>, topic: string, output: NewRecord): NewRecord {
  const { key, value, headers: own = {} } = output;
  const headers: Record<string, string> = {
    id: `${own.id ?? ''}/too-large`,
    reason: outputTooLargeReason,
    job: job.name,
    version: job.version,
    'key-is': 'record',
    [outputTopicHeader]: topic,
    [outputBytesHeader]: String(value?.length ?? 0),
  };
  for (const [name, text] of Object.entries(own)) headers[ownHeaderPrefix + name] = text;
  return { key, value, headers };
}

/** A letter with less in it: first with its value cut, then with nothing but what it says of its record. Null: it is that. */
export function shorterLetter({ key, value, headers = {} }: NewRecord): NewRecord | null {
  const truncated = headers[truncatedHeader] ?? String(value?.length ?? 0);
  if (value !== null && value.length > cutValueBytes) {
    return { key, value: value.slice(0, cutValueBytes), headers: { ...headers, [truncatedHeader]: truncated } };
  }
  if (headers['key-is'] === keyLeftOut) return null;
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith(ownHeaderPrefix));
  const bare = { ...Object.fromEntries(kept), [truncatedHeader]: truncated, 'key-is': keyLeftOut };
  return { key: null, value: new Uint8Array(0), headers: bare };
}
