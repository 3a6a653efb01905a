import type { LeaseRecord } from '@holdfast/lease';
import { unitKey } from '../../simulation/checkers/lease-model.ts';
import type { SimulatedUser } from '../users.ts';

/** A lease as the table has it. */
export interface HeldLease {
  readonly epoch: number;
  /** The entry of its grant. */
  readonly grantIndex: number;
}

export interface HeldUnitsView {
  readonly users: readonly SimulatedUser[];
  /** The log's last entry when every user had its last record. */
  readonly fedIndex: number;
  /** Its unit may be idle by now for as long as the job says, or its lease has ended since, which nobody needs again. */
  readonly mayBeUnheld: (user: SimulatedUser) => boolean;
  readonly leaseOf: (user: SimulatedUser) => HeldLease | null;
  /** Under which epoch the shard that the lease names has claimed the unit. */
  readonly claimedBy: (user: SimulatedUser) => number | undefined;
}

/**
 * I8: once every user has had a last record, each unit has a holder that has claimed it, until it is idle or its lease ends. One that was
 * moved after that record is claimed with its next one. @returns which isn't; null when all are
 */
export function whoIsNotHeld({ users, fedIndex, mayBeUnheld, leaseOf, claimedBy }: HeldUnitsView): string | null {
  for (const user of users) {
    const lease = leaseOf(user);
    if (lease === null && !mayBeUnheld(user)) return `user ${user.index} has no holder`;
    if (lease === null || lease.grantIndex > fedIndex || claimedBy(user) === lease.epoch) continue;
    return `user ${user.index} has a holder that hasn't claimed its unit`;
  }
  return null;
}

/**
 * Units that were released after an entry: a holder gives up one that was to move, and whose move wasn't answered a few times.
 * @param entries by index
 */
export function releasedAfter(
  entries: readonly { readonly records: readonly LeaseRecord[] }[],
  index: number,
): ReadonlySet<string> {
  const released = new Set<string>();
  for (const { records } of entries.slice(index + 1)) {
    for (const record of records) {
      if (record.kind !== 'released') continue;
      for (const i of record.epochs.keys()) released.add(unitKey(record.units[2 * i]!, record.units[2 * i + 1]!));
    }
  }
  return released;
}
