import type { RowResult, RowWrite } from '@holdfast/engine';
import type { LeaseRecord } from '@holdfast/lease';
import { formatUnit, type ShardRef } from '@holdfast/model';
import type { Return } from '@holdfast/processor';
import { type LeaseModel, unitKey } from '../../simulation/checkers/lease-model.ts';
import type { Report } from '../../simulation/checkers/report.ts';
import type { Applier } from './one-applier.ts';

/**
 * I6, at the report: a holder that was told that a row is fenced reports nothing durable before its table shows how that
 * lease ended (PROTOCOL.md 5.4): an ingest that counted the report without that end would not go back for the row.
 */
export class FencedReports {
  readonly #report: Report;
  readonly #model: LeaseModel;
  /** Index of the forced end of a lease, by unit and epoch. */
  readonly #forced = new Map<string, number>();
  /** By session and shard: the least index that its reports must name. */
  readonly #wanted = new Map<string, number>();
  fenced = 0;

  constructor(report: Report, model: LeaseModel) {
    this.#report = report;
    this.#model = model;
  }

  onRecord(record: LeaseRecord, index: number): void {
    if (record.kind === 'forceReleased') this.#forced.set(`${unitKey(record.hi, record.lo)}/${record.epoch}`, index);
  }

  /** The answer has reached the shard. Of a clean end nobody has to know: all that was applied is in an accepted row. */
  onAnswered({ session, index }: Applier, { hi, lo, epoch }: RowWrite, { code }: RowResult): void {
    if (code !== 'FENCED') return;
    const end = this.#model.ended.get(session);
    const forced = this.#forced.get(`${formatUnit(hi, lo)}/${epoch}`);
    const endIndex = forced ?? (end === undefined || end.reason === 'clean' ? undefined : end.index);
    if (endIndex === undefined) return;
    this.fenced++;
    const shard = `${session}/${index}`;
    this.#wanted.set(shard, Math.max(this.#wanted.get(shard) ?? 0, endIndex));
  }

  onReturn({ session, shard }: ShardRef, message: Return): void {
    if (message.kind !== 'durable') return;
    const wanted = this.#wanted.get(`${session}/${shard}`) ?? 0;
    if (message.tableIndex < wanted)
      this.#report(
        `I6: shard ${session}/${shard} reports durable at index ${message.tableIndex}, though it knows of a row that was fenced after an end at ${wanted}`,
      );
  }
}
