import { serviceBreakMs } from './service-news.ts';

/** Times and bounds of the lease service. Times are monotonic durations; no safety depends on any of them. */
export interface LeaseOptions {
  /** How long a session lasts without a renewal. Tolerates a stop of 9 s (see `holderStopMs`), so also every GC and election. */
  readonly sessionTtlMs: number;
  /** How often a node renews: three attempts are lost before it stops holding. */
  readonly renewEveryMs: number;
  /** A node without a renewal for so long, counted from the SENDING of the last good one, stops holding. */
  readonly holderStopMs: number;
  /** After a failed attempt to renew the next one comes so much later. */
  readonly renewRetryMs: number;
  /** The leader counts from RECEIVING, and waits longer by this factor: clocks may differ in speed. */
  readonly leaderWaitFactor: number;
  /** How often `tick` is meant to be called. */
  readonly tickMs: number;
  /** A tick later than so many ticks: the leader itself was away, and expires nothing until it has heard a quorum. */
  readonly lateTicksMax: number;
  /** Sessions expired per tick: expiries spread out, each moves a node's whole load. */
  readonly expiriesPerTick: number;
  /** A shard gets units it asks for up to this factor of the mean load (consistent hashing with bounded loads). */
  readonly boundedLoadFactor: number;
  /** ... and so many more, so that small counts, which never overload anybody, stay near their data. */
  readonly boundedLoadSlack: number;
  /** A node to which log or store has not answered for so long loses its session, if they answer others. */
  readonly serviceAwayMs: number;
  /** At least this long between two moves of partitions for balance: each costs a re-read. */
  readonly partitionMoveIntervalMs: number;
  /** A session that gave a partition up is not given it again for so long, if there is another. */
  readonly partitionBackoffMs: number;
  /** Units in the table. At 22 to 33 bytes a unit the default is 270 MB at most; half of what entry numbers allow. */
  readonly unitsMax: number;
}

export const defaultLeaseOptions: LeaseOptions = Object.freeze({
  sessionTtlMs: 12_000,
  renewEveryMs: 3_000,
  holderStopMs: 9_000,
  renewRetryMs: 500,
  leaderWaitFactor: 1.1,
  tickMs: 100,
  lateTicksMax: 3,
  expiriesPerTick: 1,
  boundedLoadFactor: 1.25,
  boundedLoadSlack: 256,
  serviceAwayMs: 30_000,
  partitionMoveIntervalMs: 5_000,
  partitionBackoffMs: 10_000,
  unitsMax: 8_000_000,
});

/** All problems of a set of options at once. */
export class LeaseOptionsError extends Error {
  override readonly name = 'LeaseOptionsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`lease options: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** Defaults filled in, relations checked. Throws `LeaseOptionsError`. */
export function compileLeaseOptions(given: Partial<LeaseOptions> = {}): LeaseOptions {
  const options: LeaseOptions = { ...defaultLeaseOptions, ...given };
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  for (const [name, value] of Object.entries(options)) {
    if (!(name in defaultLeaseOptions)) problems.push(`${name} is unknown`);
    else expect(Number.isFinite(value) && value > 0, `${name} is ${value}, expected a number above 0`);
  }
  const { sessionTtlMs, renewEveryMs, holderStopMs } = options;
  expect(
    renewEveryMs * 3 <= sessionTtlMs,
    `renewEveryMs ${renewEveryMs} is above a third of sessionTtlMs ${sessionTtlMs}`,
  );
  expect(holderStopMs < sessionTtlMs, `holderStopMs ${holderStopMs} is not below sessionTtlMs ${sessionTtlMs}`);
  expect(renewEveryMs < holderStopMs, `renewEveryMs ${renewEveryMs} is not below holderStopMs ${holderStopMs}`);
  expect(
    options.renewRetryMs <= renewEveryMs,
    `renewRetryMs ${options.renewRetryMs} is above renewEveryMs ${renewEveryMs}`,
  );
  expect(
    options.serviceAwayMs > serviceBreakMs,
    `serviceAwayMs ${options.serviceAwayMs} is not above ${serviceBreakMs}`,
  );
  expect(options.leaderWaitFactor >= 1, `leaderWaitFactor ${options.leaderWaitFactor} is below 1`);
  expect(options.boundedLoadFactor >= 1, `boundedLoadFactor ${options.boundedLoadFactor} is below 1`);
  expect(Number.isInteger(options.expiriesPerTick), `expiriesPerTick ${options.expiriesPerTick} is no whole number`);
  expect(options.unitsMax <= 8_000_000, `unitsMax ${options.unitsMax} is above 8000000`);
  if (problems.length > 0) throw new LeaseOptionsError(problems);
  return Object.freeze(options);
}
