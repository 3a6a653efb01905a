import { type LeaseTable, serviceNames } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import type { RaftStatus } from '@holdfast/raft';
import type { Timers } from '../ports/timers.ts';
import { fitSuccessor, nextSuccessor } from './leader-successor.ts';
import type { RaftDriver } from './raft-driver.ts';
import { unlessStopped } from './raft-driver-error.ts';
import type { ServiceLook } from './service-watch.ts';

const lookMs = 250;

export interface ReluctantVoterOptions {
  readonly nodeId: NodeId;
  readonly driver: Pick<RaftDriver, 'status' | 'isLeaderReady' | 'setReluctant' | 'transferLeadership'>;
  readonly table: LeaseTable;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly services: ServiceLook | undefined;
  readonly serviceAwayMs: number;
}

/**
 * While this node drains, or has lost its session for want of log or store, which answer others, it doesn't lead if another
 * voter can: it hands leadership on, and stands for election later than the others. It votes and keeps the log as before,
 * so that this costs no tolerance. Until the first leader has asked log and store for the base of epochs nobody has a
 * session that would tell who has them: each voter leads for a while then, one after the other.
 */
export class ReluctantVoter {
  readonly #options: ReluctantVoterOptions;
  #cancel: () => void = () => {};
  /** Raft was told to hand over, and hasn't answered: its disk is slow. */
  #isAsked = false;
  #leadsFromMs: number | null = null;

  constructor(options: ReluctantVoterOptions) {
    this.#options = options;
    this.#schedule();
  }

  close(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.setTimer(lookMs, () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const { driver, logger, timers } = this.#options;
    const reason = this.#reason();
    driver.setReluctant(reason !== null);
    this.#leadsFromMs = driver.isLeaderReady ? (this.#leadsFromMs ?? timers.monotonicMs()) : null;
    if (reason === null || !driver.isLeaderReady || this.#isAsked) return;
    const status = driver.status();
    // Raft gives a transfer up after an election timeout; then it is tried again.
    if (status.transferee !== null) return;
    const successor = this.#successor(status);
    if (successor === null) return;
    logger.info('leadership is handed on', { to: successor, reason });
    this.#isAsked = true;
    const answered = driver.transferLeadership(successor).then(() => {
      this.#isAsked = false;
    });
    answered.catch(unlessStopped);
  }

  #successor(status: RaftStatus): NodeId | null {
    const { table, timers, serviceAwayMs } = this.#options;
    // Who has no session either may lack the same, and would hand it back.
    if (this.#isDraining || this.#isFounded) return fitSuccessor(status, table, !this.#isDraining);
    const ledMs = timers.monotonicMs() - (this.#leadsFromMs ?? timers.monotonicMs());
    return ledMs < serviceAwayMs ? null : nextSuccessor(status, table);
  }

  /** Sessions may be given. */
  get #isFounded(): boolean {
    const { epochBase, generation } = this.#options.table;
    return epochBase >= 0 && generation > 0;
  }

  get #isDraining(): boolean {
    const { nodeId, table } = this.#options;
    return table.node(nodeId)?.draining === true;
  }

  #reason(): string | null {
    const { nodeId, table, services, serviceAwayMs } = this.#options;
    if (this.#isDraining) return 'this node drains';
    const node = table.node(nodeId);
    // With a session it is one of many that a service is away from, or is back soon.
    if (services === undefined || (this.#isFounded && node?.session !== 0)) return null;
    const says = services.say();
    const away = serviceNames.find((name) => says[name].silentMs >= serviceAwayMs);
    return away === undefined ? null : `the ${away} does not answer this node`;
  }
}
