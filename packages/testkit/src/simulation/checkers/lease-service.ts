import type { LeaseTable } from '@holdfast/lease';
import type { NodeId, Unit } from '@holdfast/model';
import type { CommittedLog } from './committed-log.ts';
import type { LeaseModel } from './lease-model.ts';
import { unitKey } from './lease-model.ts';
import type { Report } from './report.ts';

/**
 * I10: the lease service is linearizable. The log gives the order of all changes, and the model what each did; so what is
 * left to check is that no answer is older than what anybody had seen when its question was asked, and that what was
 * answered is what the log says.
 */
export class LeaseService {
  readonly #report: Report;
  readonly #log: CommittedLog;
  readonly #model: LeaseModel;
  /** Highest index that any node has applied. */
  #seenIndex = 0;
  answers = 0;

  constructor(report: Report, log: CommittedLog, model: LeaseModel) {
    this.#report = report;
    this.#log = log;
    this.#model = model;
  }

  get seenIndex(): number {
    return this.#seenIndex;
  }

  onApplied(index: number): void {
    this.#seenIndex = Math.max(this.#seenIndex, index);
  }

  /** `get`: a read of the table behind a barrier. @param askedAtIndex `seenIndex` when it was asked */
  onRead(node: string, table: LeaseTable, askedAtIndex: number, unit: Unit): void {
    this.answers++;
    if (table.tableIndex < askedAtIndex) {
      this.#report(`I10: ${node} reads at index ${table.tableIndex}; ${askedAtIndex} had been seen before it asked`);
      return;
    }
    if (table.tableIndex !== this.#log.lastIndex) return;
    const shown = table.get(unit.hi, unit.lo);
    const lease = this.#model.units.get(unitKey(unit.hi, unit.lo));
    if ((shown?.epoch ?? 0) !== (lease?.epoch ?? 0)) {
      this.#report(
        `I10: ${node} reads epoch ${shown?.epoch ?? 'none'} at ${table.tableIndex}, the log gives ${lease?.epoch ?? 'none'}`,
      );
    }
  }

  /** A change was answered with the index of its entry. */
  onAnswered(node: NodeId, method: string, index: number): void {
    this.answers++;
    if (index > this.#log.lastIndex)
      this.#report(`I10: ${method} of ${node} was answered with ${index}, which isn't committed`);
  }

  /** `open` was answered with a session. */
  onOpened(node: NodeId, session: number, counter: number): void {
    this.answers++;
    const opened = this.#log.entries[session]?.records.some(
      (record) => record.kind === 'sessionOpened' && record.nodeId === node && record.counter === counter,
    );
    if (!opened)
      this.#report(`I10: ${node} was given session ${session}, which the log doesn't open for its start ${counter}`);
  }

  /** A session's end was answered with OK. */
  onEnded(node: NodeId, session: number): void {
    this.answers++;
    if (!this.#model.ended.has(session))
      this.#report(`I10: the end of session ${session} of ${node} was answered OK, but isn't logged`);
  }
}
