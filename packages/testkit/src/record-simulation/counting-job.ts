import type { Job, JobRecord, KeyLocator, OutputSink, Verdict } from '@holdfast/processor';

/** State of the job that the simulation runs: which records are in it, in the order of their application. */
export interface CountingState {
  readonly applied: string[];
}

/** What a checker hears of each application. */
export type OnApply = (key: string, state: CountingState, partition: number, offset: number) => void;

const text = (bytes: Uint8Array, start = 0, end = bytes.length) => Buffer.from(bytes.subarray(start, end)).toString();

/** Records are `key` or `key!` (emits an output) or `?` (dead at the ingest) or `-` (skipped) or `key?` (dead at the holder). */
export function countingJob(onApply: OnApply): Job<CountingState> {
  return {
    name: 'counting',
    version: '1',
    inputs: ['in'],
    outputs: ['out'],
    idleMs: Number.POSITIVE_INFINITY,
    failureReason: 'marked dead',
    newKeyLocator: () => new FirstLetters(),
    initialState: () => ({ applied: [] }),
    encodeState: (state) => Buffer.from(JSON.stringify(state)),
    decodeState: (bytes) => JSON.parse(text(bytes)) as CountingState,
    apply(state: CountingState, key: Uint8Array, record: JobRecord, out: OutputSink): Verdict {
      const value = text(record.bytes, record.valueStart, record.valueEnd);
      if (value.endsWith('?')) return 'dead';
      onApply(text(key), state, record.partition, record.offset);
      const position = `${record.partition}/${record.offset}`;
      state.applied.push(position);
      if (value.endsWith('!')) out.emit('out', key, Buffer.from(position), position);
      return 'applied';
    },
    view: (state) => state,
  };
}

class FirstLetters implements KeyLocator {
  keyBytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  reason = '';

  locate(bytes: Uint8Array, start: number, end: number): 0 | 1 | 2 {
    const first = String.fromCharCode(bytes[start]!);
    this.reason = 'marked';
    if (first === '?') return 2;
    if (first === '-') return 1;
    this.keyBytes = bytes;
    this.keyStart = start;
    this.keyEnd = end;
    while (/[!?]/.test(String.fromCharCode(bytes[this.keyEnd - 1]!))) this.keyEnd--;
    return 0;
  }
}
