import type { NewRecord } from '@holdfast/engine';
import { quarantinedReason } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';
import { deadLetterTopic, jobName, outputTopic } from '../cluster-job.ts';
import { isDead, type Ledger } from '../ledger.ts';
import type { StoredUser } from './stored-rows.ts';

/**
 * Outputs before backups (PROTOCOL.md 5.3; promise P6): a row is accepted only when every output of the records in it is in
 * the log. Equal ids are of equal outputs. Only records that emit have outputs, and only those that are dead by themselves
 * letters: those of quarantine, which are of any record, are `QuarantineTruth`'s.
 */
export class OutputsFirst {
  readonly #report: Report;
  readonly #ledger: Ledger;
  readonly #outputs = new Set<string>();
  readonly #deadLetters = new Set<string>();
  /** How many records of a user and partition are known to have their outputs published. */
  readonly #verified = new Map<string, number>();
  outputs = 0;
  repeated = 0;
  rows = 0;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  onAppended(topic: string, records: readonly NewRecord[]): void {
    if (topic !== outputTopic && topic !== deadLetterTopic) return;
    for (const { headers, value } of records) {
      const id = headers?.id ?? '';
      const [, , , partition, offset, rest] = id.split('/');
      const position = `${partition}/${offset}`;
      const kind = this.#ledger.partitions[Number(partition)]?.[Number(offset)]?.kind ?? 'tombstone';
      this.outputs++;
      if (topic === deadLetterTopic) {
        if (this.#deadLetters.has(position)) this.repeated++;
        this.#deadLetters.add(position);
        const isBuried = headers?.reason === quarantinedReason;
        if (!isBuried && !isDead(kind)) this.#report(`P6: there is a dead letter of ${position}, of kind ${kind}`);
        continue;
      }
      if (kind !== 'e') this.#report(`P6: there is an output of ${position}, of kind ${kind}`);
      if (this.#outputs.has(position)) this.repeated++;
      this.#outputs.add(position);
      const text = value === null ? '' : Buffer.from(value).toString();
      if (!id.startsWith(`${jobName}/1/`) || rest !== '0' || text !== position)
        this.#report(`P6: the output ${id} says ${text}`);
    }
  }

  hasDeadLetter(partition: number, offset: number): boolean {
    return this.#deadLetters.has(`${partition}/${offset}`);
  }

  onRow({ user, state }: StoredUser): void {
    this.rows++;
    if (user === null) return;
    for (const [partition, count] of state.counts.entries()) {
      const key = `${user.index}/${partition}`;
      const { offsets } = this.#ledger.part(user.index, partition);
      let place = this.#verified.get(key) ?? 0;
      // What a row has beyond all that was produced is I5's.
      for (; place < Math.min(count, offsets.length); place++) {
        const offset = offsets[place]!;
        if (this.#ledger.partitions[partition]![offset]!.kind !== 'e' || this.#outputs.has(`${partition}/${offset}`))
          continue;
        this.#report(`P6: a row with ${partition}/${offset} is accepted before its output is published`);
        return;
      }
      this.#verified.set(key, place);
    }
  }
}
