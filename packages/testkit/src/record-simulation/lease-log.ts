import { type LeaseRecord, LeaseTable } from '@holdfast/lease';

/** The committed log of lease records, and what was proposed to it: any of those may be committed next, or never. */
export class LeaseLog {
  readonly records: LeaseRecord[] = [];
  readonly proposed: LeaseRecord[] = [];
  /** The table as of the log's end: what the leader decides by. */
  readonly leader = new LeaseTable();

  propose(record: LeaseRecord): void {
    this.proposed.push(record);
  }

  /** @returns the record's index */
  append(record: LeaseRecord): number {
    const index = this.records.push(record);
    this.leader.replay(record, index);
    this.leader.publishIndex(index);
    return index;
  }
}
