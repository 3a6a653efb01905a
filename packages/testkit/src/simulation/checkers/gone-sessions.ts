import type { LeaseRecord } from '@holdfast/lease';
import type { LeaseModel } from './lease-model.ts';
import type { Report } from './report.ts';

/**
 * I10, the part of evidence: a session ends as `gone` only if its process is. An address is never used again by another
 * process here, so nobody listens on it any more when the end is committed.
 */
export class GoneSessions {
  readonly #report: Report;
  readonly #model: LeaseModel;
  readonly #isListening: (address: string) => boolean;
  count = 0;

  constructor(report: Report, model: LeaseModel, isListening: (address: string) => boolean) {
    this.#report = report;
    this.#model = model;
    this.#isListening = isListening;
  }

  /** A committed record, before the model has it. */
  beforeRecord(record: LeaseRecord): void {
    if (record.kind !== 'sessionEnded' || record.reason !== 'gone') return;
    const session = this.#model.sessions.get(record.session);
    if (session === undefined) return;
    this.count++;
    if (!this.#isListening(session.address)) return;
    this.#report(`I10: session ${record.session} ended as gone, but the process of ${session.nodeId} lives`);
  }
}
