import type { LeaseTable } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import { type Timers, within } from '../ports/timers.ts';
import { lastingSuccessor } from './leader-successor.ts';
import type { NodeSession } from './node-session.ts';
import type { RaftDriver } from './raft-driver.ts';
import { unlessStopped } from './raft-driver-error.ts';

/** A leader that is asked to note what a stopping node says: longer means that there is no quorum. */
export const stopAskMsMax = 5_000;
/** How long a node that has ended its session stays in the quorum for others that are stopping too. */
export const lingerMsMax = 5_000;
const transferMsMax = 2_000;

export interface StopResult {
  /** The session's clean end is in the log: nobody has to go back. */
  readonly clean: boolean;
  /** Every shard said that all it held is backed up and committed. */
  readonly drained: boolean;
}

export interface StopOptions {
  readonly nodeId: NodeId;
  readonly session: NodeSession;
  readonly driver: RaftDriver;
  readonly table: LeaseTable;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly timeoutMs: number;
  readonly onUpdate: (listener: () => void) => () => void;
}

/**
 * The steps of a graceful stop, each bounded by what is left of the deadline: nothing new comes, the shards drain, the
 * session ends, leadership is handed over. Shards drain under a live session, and its end needs a leader: hence the order.
 */
export async function stopControlPlane(options: StopOptions): Promise<StopResult> {
  const { session, timers, table, logger, timeoutMs } = options;
  const endMs = timers.monotonicMs() + timeoutMs;
  const leftMs = (mostMs: number): number => Math.max(0, Math.min(mostMs, endMs - timers.monotonicMs()));
  if (session.state === 'over') return { clean: false, drained: false };
  if (session.state !== 'holding') {
    // Its shards were never told of a session, so nothing is held.
    const isEnded = await session.endUnopened(leftMs(stopAskMsMax));
    await handOver(options, leftMs(transferMsMax));
    return { clean: isEnded, drained: true };
  }
  const isClosing = await session.markClosing(leftMs(stopAskMsMax));
  if (!isClosing) logger.warn('no leader noted that this node is stopping');
  const drained = (await within(timers, leftMs(timeoutMs), session.stopShards())) === true;
  const clean = drained && (await session.end(leftMs(stopAskMsMax)));
  // A cluster that stops as a whole would lose its quorum before the last session's end is logged.
  const othersAreOpen = (): boolean => [...table.sessions()].some(({ closing }) => closing);
  if (clean) await until(options, leftMs(lingerMsMax), () => !othersAreOpen());
  await handOver(options, leftMs(transferMsMax));
  return { clean, drained };
}

/** Gives leadership to another voter, so that the cluster needs no election time-out. */
async function handOver(options: StopOptions, limitMs: number): Promise<void> {
  const { driver, table } = options;
  if (!driver.isLeader) return;
  const successor = lastingSuccessor(driver.status(), table);
  if (successor === null) return;
  // Not waited for: while the disk hangs there is no answer.
  driver.transferLeadership(successor).catch(unlessStopped);
  await until(options, limitMs, () => !driver.isLeader);
}

function until(options: StopOptions, limitMs: number, isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isTrue()) return resolve();
    const done = (): void => {
      cancel();
      remove();
      resolve();
    };
    const cancel = options.timers.setTimer(limitMs, done);
    const remove = options.onUpdate(() => {
      if (isTrue()) done();
    });
  });
}
