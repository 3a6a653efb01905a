import { compareBytes } from '@holdfast/model';
import type { OutputSink } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';
import { inputTopic, ledgerJob } from '../cluster-job.ts';
import { firstHash, orderAfter } from '../fingerprint.ts';
import type { Ledger } from '../ledger.ts';
import type { StoreLife } from '../store-life.ts';
import type { StoredRows } from './stored-rows.ts';

interface Step {
  readonly before: number;
  readonly partition: number;
  readonly offset: number;
}

const nowhere: OutputSink = { emit() {} };

/**
 * I23: what restores and the rest of the log have made of a user is what one replay from the beginning makes, in the order
 * in which the records were applied: bit by bit, sums of floats included.
 */
export class ReplayEquality {
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #stored: StoredRows;
  /** How each order of records came about: by user and fingerprint. */
  readonly #steps = new Map<string, Step>();
  readonly #job = ledgerJob(1_000, () => {});
  replayed = 0;

  constructor(report: Report, ledger: Ledger, stored: StoredRows) {
    this.#report = report;
    this.#ledger = ledger;
    this.#stored = stored;
  }

  onApply(user: number, order: number, partition: number, offset: number): void {
    this.#steps.set(`${user}/${orderAfter(order, partition, offset)}`, { before: order, partition, offset });
  }

  /** The records that a state of the user has, the last one first; null when nobody has seen how it came about. */
  stepsTo(user: number, order: number): Step[] | null {
    const steps: Step[] = [];
    for (let at = order; at !== firstHash; at = steps.at(-1)!.before) {
      const step = this.#steps.get(`${user}/${at}`);
      if (step === undefined) return null;
      steps.push(step);
    }
    return steps;
  }

  compare(life: StoreLife): void {
    for (const user of this.#ledger.users) {
      const stored = this.#stored.stateOf(life, user);
      if (stored === null) continue;
      const steps = this.stepsTo(user.index, stored.state.order);
      if (steps === null) {
        this.#report(`I23: nobody has seen how the state of user ${user.index} came about`);
        return;
      }
      const state = this.#job.initialState(user.key);
      for (const { partition, offset } of steps.reverse()) {
        const { value, appendedUnixMs } = this.#ledger.partitions[partition]![offset]!;
        const record = {
          topic: inputTopic,
          partition,
          offset,
          timestampUnixMs: appendedUnixMs,
          bytes: value!,
          valueStart: 0,
          valueEnd: value!.length,
        };
        this.#job.apply(state, user.key, record, nowhere);
        this.replayed++;
      }
      if (compareBytes(this.#job.encodeState(state), stored.bytes) !== 0)
        this.#report(
          `I23: a replay of ${steps.length} records of user ${user.index} gives another state than the store has`,
        );
    }
  }
}
