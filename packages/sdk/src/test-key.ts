import type { JobRecord } from '@holdfast/processor';
import type { CompiledJob } from './compile-processor.ts';
import { withForbiddenCalls } from './forbidden-calls.ts';
import { findPlainDataProblem } from './plain-data.ts';
import { sameData } from './same-data.ts';

export interface TestRecord extends JobRecord {
  readonly input: string;
}

interface Row {
  readonly bytes: Uint8Array;
  readonly offsets: ReadonlyMap<string, number>;
}

/** One key in a test: its state, the row in its store, and the records it was given. */
export class TestKey<S> {
  readonly keyBytes: Uint8Array;
  lastRecordUnixMs = 0;
  readonly #job: CompiledJob<S>;
  readonly #name: string;
  /** Whether the state is plain data; with an author's own codec it may be anything. */
  readonly #plain: boolean;
  #state: S | undefined;
  /** (topic, partition) → offset: what the state has already. */
  #offsets = new Map<string, number>();
  #row: Row | null = null;
  /** In order of arrival, and how many of them the row covers. */
  readonly #records: TestRecord[] = [];
  #coveredCount = 0;
  readonly #known = new Set<TestRecord>();
  #dirty = false;

  constructor(job: CompiledJob<S>, name: string, keyBytes: Uint8Array, plain: boolean) {
    this.#plain = plain;
    this.#job = job;
    this.#name = name;
    this.keyBytes = keyBytes;
  }

  /** The state in memory; read from the row, or fresh, when there is none. */
  open(): S {
    if (this.#state === undefined) {
      const row = this.#row;
      this.#state = withForbiddenCalls(() =>
        row === null ? this.#job.initialState(this.keyBytes) : this.#job.decodeState(row.bytes),
      );
      this.#offsets = new Map(this.#row?.offsets);
    }
    return this.#state;
  }

  copy(): S {
    return this.#job.decodeState(this.#job.encodeState(this.open()));
  }

  /** Whether the record is new to the state, as a holder decides it; then it is noted. */
  accept(record: TestRecord): boolean {
    const at = `${record.topic}/${record.partition}`;
    if (record.offset <= (this.#offsets.get(at) ?? -1)) return false;
    this.#offsets.set(at, record.offset);
    if (!this.#known.has(record)) {
      this.#known.add(record);
      this.#records.push(record);
    }
    this.#dirty = true;
    return true;
  }

  /** Writes the row, and checks that it reads back the same. */
  backup(): void {
    if (!this.#dirty || this.#state === undefined) return;
    const bytes = this.#job.encodeState(this.#state);
    const again = this.#job.decodeState(bytes);
    if (this.#plain && !sameData(again, this.#state)) {
      throw new Error(`the state of '${this.#name}' reads back otherwise than it was written: see state.codec`);
    }
    this.#row = { bytes, offsets: new Map(this.#offsets) };
    this.#coveredCount = this.#records.length;
    this.#dirty = false;
  }

  release(): void {
    this.backup();
    this.#state = undefined;
  }

  /** Forgets what is in memory; gives the records that the log would bring again. */
  crash(replay: number): readonly TestRecord[] {
    this.#state = undefined;
    this.#dirty = false;
    this.open();
    return this.#records.slice(Math.max(0, this.#coveredCount - replay));
  }

  checkPlain(record: TestRecord): void {
    const found = this.#plain ? findPlainDataProblem(this.#state) : null;
    if (found === null) return;
    throw new Error(`record ${where(record)} left ${found.path} as ${found.problem}: a state is plain data`);
  }

  /** @param before the state as bytes */
  checkUntouched(before: Uint8Array, record: TestRecord): void {
    if (sameData(before, this.#job.encodeState(this.open()))) return;
    const promise = "state.undo 'none' promises that a handler throws only before it changes the state";
    throw new Error(`${promise}; that of record ${where(record)} threw after`);
  }
}

function where(record: TestRecord): string {
  return `${record.topic}/${record.partition}@${record.offset}`;
}
