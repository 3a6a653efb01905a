/** Schema holdfast/user/v1: one user, where it lives, and what its job shows of it. A contract: it only gains fields. */
export const userSchemaName = 'holdfast/user/v1';

export interface UserDocument {
  readonly schema: typeof userSchemaName;
  readonly at: string;
  /** As text; keys that aren't UTF-8 are shown as 0x and hex. */
  readonly user: string;
  /** Sixteen hex digits: what is leased. */
  readonly unit: string;
  /** The node that answered; null: read from the data folder, no node asked. */
  readonly via: string | null;
  readonly consistency: 'leader' | 'local';
  /** Index of the lease table that the answer rests on. */
  readonly index: string | null;
  /** Null: nobody holds it now. */
  readonly holder: {
    readonly node: string;
    readonly shard: number;
    readonly addr: string | null;
    readonly reachable: boolean;
    /** Why it didn't answer, or can't show what it has. */
    readonly error: string | null;
  } | null;
  /** The unit's last changes of holder that the answering node remembers, oldest first; at null: before it started. */
  readonly history: readonly {
    readonly how: string;
    readonly node: string | null;
    readonly shard: number;
    readonly index: string;
    readonly at: string | null;
  }[];
  /** Of the lease; without one, that of the stored row. */
  readonly leaseEpoch: string | null;
  /** Its records become dead letters; null: no node was asked. */
  readonly quarantined: boolean | null;
  /** Where `state` comes from. */
  readonly source: 'holder' | 'backup';
  /** True: a holder may know more than this backup. */
  readonly stale: boolean;
  readonly job: string;
  /** The job's view; null: no record of this user is in it yet. */
  readonly state: unknown;
  /** Why the state that is there can't be shown; null: it can be, or there is none. */
  readonly stateError: string | null;
  readonly backup: {
    /** Since the last accepted backup; null before the first. */
    readonly ageMs: number | null;
    /** Changes that no backup covers yet. */
    readonly dirty: boolean;
  };
  /** Records per second of its unit, when that is among the busiest of its shard; else null. */
  readonly recPerSec: number | null;
  /** Last applied offset: topicId/partition → offset, as strings. */
  readonly applied: Readonly<Record<string, string>>;
}
