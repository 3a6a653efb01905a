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
  /** Units may be idle by now for as long as the job says, or leases have ended since that nobody needs again. */
  readonly mayBeUnheld: boolean;
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
    if (lease === null && !mayBeUnheld) return `user ${user.index} has no holder`;
    if (lease === null || lease.grantIndex > fedIndex || claimedBy(user) === lease.epoch) continue;
    return `user ${user.index} has a holder that hasn't claimed its unit`;
  }
  return null;
}
