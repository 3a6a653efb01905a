import type { OffsetCommit } from '@holdfast/engine';
import type { Report } from '../../simulation/checkers/report.ts';
import { inputTopic } from '../cluster-job.ts';
import { isDead, type Ledger } from '../ledger.ts';
import type { StoreLife } from '../store-life.ts';
import { areBuried, type Buried, nothingBuried } from './buried.ts';
import type { OutputsFirst } from './outputs-first.ts';
import type { StoredRows } from './stored-rows.ts';

/**
 * I6: a committed offset, and a marker, vouches for all below it: every record is in a row of the store of that
 * generation, or its dead letter is in the log. And no row that is accepted later lacks what was vouched for.
 */
export class DurableOffsets {
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #stored: StoredRows;
  readonly #outputs: OutputsFirst;
  readonly #buried: Buried;
  /** Per store: up to where each partition is known to be durable, because somebody said so and it was true. */
  readonly #vouched = new Map<StoreLife, number[]>();
  commits = 0;
  rows = 0;

  constructor(
    report: Report,
    ledger: Ledger,
    stored: StoredRows,
    outputs: OutputsFirst,
    buried: Buried = nothingBuried,
  ) {
    this.#buried = buried;
    this.#report = report;
    this.#ledger = ledger;
    this.#stored = stored;
    this.#outputs = outputs;
  }

  onCommitted({ partition: { topicId, partition }, offset, generationId }: OffsetCommit): void {
    if (topicId !== `id-of-${inputTopic}`) return;
    this.commits++;
    const life = this.#stored.lifeOf(generationId);
    if (life === undefined) {
      this.#report(`I6: an offset is committed under generation ${generationId}, which the log doesn't know`);
      return;
    }
    const vouched = this.#vouchedOf(life);
    const records = this.#ledger.partitions[partition] ?? [];
    if (offset > records.length) {
      this.#report(`I6: ${partition} is committed at ${offset}, and ends at ${records.length}`);
      return;
    }
    for (let at = vouched[partition] ?? 0; at < offset; at++) {
      const record = records[at]!;
      if (isDead(record.kind) && !this.#outputs.hasDeadLetter(partition, at)) {
        this.#report(`I6: ${partition} is committed at ${offset}, but the dead letter of ${at} isn't published`);
        return;
      }
      if (record.place < 0 || this.#buried.isBuried(partition, at)) continue;
      const count = this.#stored.stateOf(life, record.user!)?.state.counts[partition] ?? 0;
      if (count > record.place) continue;
      this.#report(
        `I6: ${partition} is committed at ${offset} under generation ${generationId}, but ${at} of user ${record.user!.index} isn't in its store`,
      );
      return;
    }
    vouched[partition] = Math.max(vouched[partition] ?? 0, offset);
  }

  /** A row was accepted: it must have all of its users that is vouched for in this store. */
  onRow(life: StoreLife, unit: string, row: Uint8Array): void {
    this.rows++;
    const vouched = this.#vouchedOf(life);
    const users = this.#stored.usersOf(row);
    for (const user of this.#ledger.users) {
      if (user.unitKey !== unit) continue;
      const state = users.find((stored) => stored.user === user)?.state;
      for (const [partition, offset] of vouched.entries()) {
        if (offset === undefined) continue;
        const wanted = this.#ledger.countBelow(user.index, partition, offset);
        const count = state?.counts[partition] ?? 0;
        if (count >= wanted) continue;
        const { offsets } = this.#ledger.part(user.index, partition);
        if (areBuried(this.#buried, partition, offsets, count, wanted)) continue;
        this.#report(
          `I6: a row of unit ${unit} is accepted with ${count} records of user ${user.index} in ${partition}, of which ${wanted} were durable`,
        );
      }
    }
  }

  #vouchedOf(life: StoreLife): number[] {
    let vouched = this.#vouched.get(life);
    if (vouched === undefined) this.#vouched.set(life, (vouched = []));
    return vouched;
  }
}
