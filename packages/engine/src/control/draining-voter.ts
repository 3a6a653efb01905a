import type { LeaseTable } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';
import { fitSuccessor } from './leader-successor.ts';
import type { RaftDriver } from './raft-driver.ts';

const lookMs = 250;

export interface DrainingVoterOptions {
  readonly nodeId: NodeId;
  readonly driver: Pick<RaftDriver, 'status' | 'isLeaderReady' | 'setReluctant' | 'transferLeadership'>;
  readonly table: LeaseTable;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * While this node drains it doesn't lead, if another voter can: it hands leadership on, and stands for election later than
 * the others. It votes and keeps the log as before, so that draining costs no tolerance.
 */
export class DrainingVoter {
  readonly #options: DrainingVoterOptions;
  #cancel: () => void = () => {};

  constructor(options: DrainingVoterOptions) {
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
    const { nodeId, driver, table, logger } = this.#options;
    const isDraining = table.node(nodeId)?.draining === true;
    driver.setReluctant(isDraining);
    if (!isDraining || !driver.isLeaderReady) return;
    const status = driver.status();
    // Raft gives a transfer up after an election timeout; then it is tried again.
    if (status.transferee !== null) return;
    const successor = fitSuccessor(status, table);
    if (successor === null) return;
    logger.info('leadership is handed on: this node drains', { to: successor });
    void driver.transferLeadership(successor);
  }
}
