import type { NewRecord } from '@holdfast/engine';
import { advance, firstHash } from './fingerprint.ts';
import type { RecordKind } from './record-format.ts';
import type { SimulatedUser } from './users.ts';

/** A record as it was produced, and what is to become of it. */
export interface ProducedRecord extends NewRecord {
  readonly kind: RecordKind | 'tombstone';
  /** Null when it names nobody. */
  readonly user: SimulatedUser | null;
  readonly amount: number;
  /** Its place among those records of its user and partition that count; -1 when it doesn't. */
  readonly place: number;
  readonly appendedUnixMs: number;
}

/** The records of one user in one partition that count, in order. */
export interface UserPart {
  readonly offsets: number[];
  /** `prints[n]` is the fingerprint of the first n offsets. */
  readonly prints: number[];
}

/** Whether the record changes a state. */
export function counts(kind: ProducedRecord['kind']): boolean {
  return kind === 'r' || kind === 'e';
}

/** Whether the record becomes a dead letter. */
export function isDead(kind: ProducedRecord['kind']): boolean {
  return kind === '?' || kind === 'x' || kind === 't' || kind === 'k' || kind === 'z';
}

/** Everything that was ever produced, by its producer: what all checkers compare with. */
export class Ledger {
  /** Per partition, by offset. */
  readonly partitions: ProducedRecord[][] = [];
  readonly #parts = new Map<number, UserPart[]>();
  readonly users: readonly SimulatedUser[];
  readonly byHex: ReadonlyMap<string, SimulatedUser>;
  count = 0;

  constructor(users: readonly SimulatedUser[]) {
    this.users = users;
    this.byHex = new Map(users.map((user) => [user.hex, user]));
  }

  /** Notes a record; it has the next offset of its partition. */
  note(partition: number, record: Omit<ProducedRecord, 'place'>): ProducedRecord {
    while (this.partitions.length <= partition) this.partitions.push([]);
    const records = this.partitions[partition]!;
    let place = -1;
    if (record.user !== null && counts(record.kind)) {
      const part = this.part(record.user.index, partition);
      place = part.offsets.push(records.length) - 1;
      part.prints.push(advance(part.prints[place]!, records.length));
    }
    const noted = { ...record, place };
    records.push(noted);
    this.count++;
    return noted;
  }

  /**
   * Records of a unit that were buried, and for good: they count no more, and those after them move up. Every state of
   * their users has the records before them, and none of them.
   */
  settleBuried(unitKey: string, isBuried: (partition: number, offset: number) => boolean): void {
    for (const user of this.users) {
      if (user.unitKey !== unitKey) continue;
      for (const [partition, records] of this.partitions.entries()) {
        const part = this.part(user.index, partition);
        const kept = part.offsets.filter((offset) => !isBuried(partition, offset));
        for (const offset of part.offsets) records[offset] = { ...records[offset]!, place: kept.indexOf(offset) };
        part.offsets.splice(0, part.offsets.length, ...kept);
        part.prints.length = 1;
        for (const [place, offset] of kept.entries()) part.prints.push(advance(part.prints[place]!, offset));
      }
    }
  }

  part(user: number, partition: number): UserPart {
    let parts = this.#parts.get(user);
    if (parts === undefined) this.#parts.set(user, (parts = []));
    while (parts.length <= partition) parts.push({ offsets: [], prints: [firstHash] });
    return parts[partition]!;
  }

  /** How many records of the user in the partition that count lie below the offset. */
  countBelow(user: number, partition: number, offset: number): number {
    const { offsets } = this.part(user, partition);
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
