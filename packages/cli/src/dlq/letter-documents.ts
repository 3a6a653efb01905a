import { formatAge, formatBytes, formatCount } from '../render/figures.ts';
import { printable } from '../render/printable.ts';
import { renderTable } from '../render/table.ts';
import { type DeadLetter, letterName } from './dead-letter.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes for people and programs: `text` where they are UTF-8, `base64` always. */
export interface BytesDocument {
  readonly text: string | null;
  readonly base64: string;
}

export interface LetterRow {
  readonly letter: string;
  readonly at: string | null;
  readonly id: string;
  readonly reason: string;
  readonly job: string;
  readonly version: string;
  readonly from: { readonly topic: string; readonly partition: number; readonly offset: string } | null;
  readonly output: { readonly topic: string; readonly bytes: number | null } | null;
  readonly valueBytes: number | null;
  /** Of the value before it was cut; NaN, in JSON null: it is cut, and doesn't say; null: it is whole. */
  readonly wholeBytes: number | null;
}

export interface LettersDocument {
  readonly schema: 'holdfast/dlq/v1';
  readonly at: string;
  readonly topic: string;
  /** In the topic, and how many of them were looked at for these. */
  readonly records: string;
  readonly looked: string;
  readonly letters: readonly LetterRow[];
}

export interface LetterDocument extends LetterRow {
  readonly schema: 'holdfast/dead-letter/v1';
  readonly key: BytesDocument | null;
  readonly keyIs: 'record' | 'user' | 'cut';
  readonly headers: Readonly<Record<string, string>>;
  readonly value: BytesDocument | null;
}

export function letterRow(letter: DeadLetter): LetterRow {
  const { from, atUnixMs, id, reason, job, version, output, value, wholeBytes } = letter;
  return {
    letter: letterName(letter),
    at: Number.isNaN(atUnixMs) ? null : new Date(atUnixMs).toISOString(),
    id,
    reason,
    job,
    version,
    from: from === null ? null : { ...from, offset: String(from.offset) },
    output,
    valueBytes: value?.length ?? null,
    wholeBytes,
  };
}

export function letterDocument(letter: DeadLetter): LetterDocument {
  const { key, keyIs, ownHeaders, value } = letter;
  const row = letterRow(letter);
  return {
    schema: 'holdfast/dead-letter/v1',
    ...row,
    key: bytesDocument(key),
    keyIs,
    headers: ownHeaders,
    value: bytesDocument(value),
  };
}

function bytesDocument(bytes: Uint8Array | null): BytesDocument | null {
  if (bytes === null) return null;
  let text: string | null = null;
  try {
    text = utf8.decode(bytes);
  } catch {
    // Not UTF-8: the bytes say all there is.
  }
  return { text, base64: Buffer.from(bytes).toString('base64') };
}

/** Newest first. Pure. */
export function renderLetters({ letters, at }: LettersDocument): string[] {
  const header = ['LETTER', 'TOPIC', 'PART', 'OFFSET', 'JOB', 'REASON', 'AGE', 'BYTES'];
  const rows = letters.map((row) => [
    row.letter,
    row.from?.topic ?? '-',
    row.from === null ? '-' : String(row.from.partition),
    row.from === null ? '-' : formatCount(row.from.offset),
    row.job,
    row.reason,
    row.at === null ? '-' : formatAge(Date.parse(at) - Date.parse(row.at)),
    formatBytes(row.wholeBytes || row.valueBytes || 0),
  ]);
  return renderTable(header, rows);
}

/** Pure. */
export function renderLetter(document: LetterDocument): string[] {
  const { letter, reason, job, version, at, key, keyIs, headers, value, valueBytes, wholeBytes } = document;
  const cut = wholeBytes === null ? '' : ` (cut: ${valueBytes ?? 0} of ${wholeBytes || '?'} bytes)`;
  return [
    `${letter}  ${reason}  of ${whereText(document)}`,
    `by ${job} ${version}${at === null ? '' : ` at ${at}`}`,
    keyIs === 'cut'
      ? 'key and headers are cut'
      : `key ${bytesText(key)}${key !== null && keyIs === 'user' ? ' (of the user)' : ''}`,
    ...Object.entries(headers).map(([name, text]) => `header ${name}: ${JSON.stringify(text)}`),
    `value ${bytesText(value)}${cut}`,
  ].map(printable);
}

function whereText({ from, output }: LetterRow): string {
  if (output !== null) return `an output of ${output.bytes ?? '?'} bytes for ${output.topic}`;
  return from === null
    ? 'a record of which it does not say where it was'
    : `${from.topic}/${from.partition}@${from.offset}`;
}

/** In quotes where something in it has to be escaped. */
function bytesText(bytes: BytesDocument | null): string {
  if (bytes === null) return '-';
  if (bytes.text === null) return `0x${Buffer.from(bytes.base64, 'base64').toString('hex')}`;
  return printable(bytes.text) === bytes.text ? bytes.text : JSON.stringify(bytes.text);
}
