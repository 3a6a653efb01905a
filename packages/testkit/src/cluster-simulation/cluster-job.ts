import { encodeUtf8 } from '@holdfast/model';
import type { KeyLocator } from '@holdfast/processor';
import { type CompiledJob, compileProcessor, defineProcessor } from '@holdfast/sdk';
import { advance, firstHash, orderAfter } from './fingerprint.ts';
import { amountOf, keyLengthOf, kindOf, type RecordKind } from './record-format.ts';
import { hexOf } from './users.ts';

export const jobName = 'ledger';
export const inputTopic = 'in';
export const outputTopic = 'out';
export const deadLetterTopic = 'dead';

/** State of a user: enough to say which records are in it, without listing them. */
export interface LedgerState {
  /** Whose it is, by its first record: never anybody else's. */
  owner: string;
  /** Per partition: how many records count, and the fingerprint of their offsets. */
  counts: number[];
  prints: number[];
  /** Fingerprint of the order in which all of them came. */
  order: number;
  /** Doesn't depend on that order. */
  total: number;
  /** Does, to the last bit, and perhaps on what time each record said that it was (I23). */
  balance: number;
  /** Offsets of the last few records, by partition. */
  recent: Map<number, number>;
}

/** What a checker hears of each record before it changes a state. */
export type OnApply = (key: Uint8Array, state: LedgerState, partition: number, offset: number) => void;

interface LedgerEvent {
  readonly kind: RecordKind;
  readonly amount: number;
}

export function ledgerJob(idleMs: number, onApply: OnApply): CompiledJob<LedgerState> {
  return compileProcessor(ledgerProcessor(idleMs, onApply, true));
}

/** Changes the job: who is to apply a deadly record dies instead, and it is told which states are spoilt. */
export function makeDeadly(
  job: CompiledJob<LedgerState>,
  die: (key: Uint8Array, partition: number, offset: number) => void,
  spoilt: () => void,
): CompiledJob<LedgerState> {
  const apply = job.apply.bind(job);
  job.apply = (state, key, record, out) => {
    const kind = record.valueStart < 0 ? 's' : kindOf(record.bytes, record.valueStart);
    if (kind === 'z') spoilt();
    if (kind !== 'k') return apply(state, key, record, out);
    die(key, record.partition, record.offset);
    throw new Error('this process has ended');
  };
  return job;
}

/** Changes the job: applying a record of this user takes its time. */
export function makeSlow(
  job: CompiledJob<LedgerState>,
  slow: Uint8Array,
  onSlow: () => void,
): CompiledJob<LedgerState> {
  const apply = job.apply.bind(job);
  job.apply = (state, key, record, out) => {
    if (Buffer.compare(key, slow) === 0) onSlow();
    return apply(state, key, record, out);
  };
  return job;
}

/**
 * The job that the cluster runs, as its author would write it.
 * @param weighsTimes states depend on what time each record has: where those who replay it know that
 */
export function ledgerProcessor(idleMs: number, onApply: OnApply, weighsTimes = false) {
  return defineProcessor({
    name: jobName,
    version: '1',
    input: { records: { topic: inputTopic, read: { newKeyLocator: () => new KeyField(), parse: readRecord } } },
    output: { positions: { topic: outputTopic, encode: (position: string) => encodeUtf8(position) } },
    state: {
      version: 1,
      initial: (): LedgerState => ({
        owner: '',
        counts: [],
        prints: [],
        order: firstHash,
        total: 0,
        balance: 0,
        recent: new Map(),
      }),
      idle: `${idleMs}ms`,
    },
    onEvent: {
      records({ kind, amount }: LedgerEvent, ctx) {
        const { state, partition, offset } = ctx;
        if (kind === 'z') {
          // What no codec takes. The copy for the next record doesn't either, or else the backup is the first to fail.
          state.recent.set(-1, (offset % 2 === 0 ? new Date(offset) : () => offset) as never);
          return;
        }
        if (kind !== 't') onApply(ctx.keyBytes, state, partition, offset);
        if (state.owner === '') state.owner = `key ${hexOf(ctx.keyBytes)}`;
        while (state.counts.length <= partition) {
          state.counts.push(0);
          state.prints.push(firstHash);
        }
        state.counts[partition]!++;
        state.prints[partition] = advance(state.prints[partition]!, offset);
        state.order = orderAfter(state.order, partition, offset);
        state.total += amount;
        state.balance = state.balance * 1.000_1 + amount / 3 + (weighsTimes ? ctx.now % 1_000 : 0);
        state.recent.set(partition, offset);
        if (kind === 't') throw new Error('no such account');
        if (kind === 'e') ctx.emit.positions(`${partition}/${offset}`);
      },
    },
  });
}

function readRecord({ bytes, valueStart }: { bytes: Uint8Array; valueStart: number }) {
  const kind = kindOf(bytes, valueStart);
  if (kind === 'x') return { dead: 'broken' };
  if (kind === 's') return { skip: 'not-wanted' };
  return { value: { kind, amount: amountOf(bytes, valueStart) } };
}

class KeyField implements KeyLocator {
  keyBytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  reason = '';

  locate(bytes: Uint8Array, start: number): 0 | 1 | 2 {
    const kind = kindOf(bytes, start);
    this.reason = kind === '-' ? 'no-key' : 'broken';
    if (kind === '-') return 1;
    if (kind === '?') return 2;
    this.keyBytes = bytes;
    this.keyStart = start + 3;
    this.keyEnd = this.keyStart + keyLengthOf(bytes, start);
    return 0;
  }
}
