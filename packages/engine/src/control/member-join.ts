import type { Logger } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';
import { type EndingReason, encodeJson, isEndingReason } from './calls.ts';
import type { LeaderCalls } from './leader-calls.ts';
import { type JoinRequest, joinMethod } from './member-keeper.ts';
import { removedText, standingOf } from './member-standing.ts';
import type { RaftDriver } from './raft-driver.ts';

const askMs = 1_000;
/** Longer than an election: a member without a leader asks whether it is one still. */
const leaderlessLooksMax = 3;

export interface MemberJoinOptions {
  readonly member: string;
  /** Of the data folder. */
  readonly uuid: string;
  readonly driver: Pick<RaftDriver, 'members' | 'leadership' | 'status'>;
  readonly leaderCalls: Pick<LeaderCalls, 'once'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** This node was removed, or its name is another folder's: it must end. */
  readonly onRefused: (reason: EndingReason, text: string) => void;
}

/**
 * As long as this node isn't among Raft's members, it asks the leader for being taken in. Who was removed while it was
 * away takes itself for a member, and hears of no leader: so it asks as well, and is told by whoever knows.
 */
export class MemberJoin {
  readonly #options: MemberJoinOptions;
  #leaderlessLooks = 0;
  /** Why it was refused last, as the log has it. */
  #told = '';
  #cancel: () => void = () => {};

  constructor(options: MemberJoinOptions) {
    this.#options = options;
    this.#schedule();
  }

  close(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.setTimer(askMs, () => {
      this.#schedule();
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const { member, uuid, driver, leaderCalls, onRefused } = this.#options;
    const standing = standingOf(driver.members(), member);
    if (standing === 'removed') return onRefused('REMOVED', removedText(member));
    this.#leaderlessLooks = driver.leadership.leader === null ? this.#leaderlessLooks + 1 : 0;
    if (standing === 'member' && this.#leaderlessLooks < leaderlessLooksMax) return;
    const request: JoinRequest = { member, uuid, hasLog: driver.status().lastIndex > 0 };
    // The next second asks again.
    const reply = await leaderCalls.once(joinMethod, encodeJson(request), askMs);
    if (reply.code !== 'REFUSED') return;
    if (isEndingReason(reply.reason)) onRefused(reply.reason, reply.text);
    else if (reply.text !== this.#told) this.#options.logger.warn('not taken into the cluster', { why: reply.text });
    this.#told = reply.text;
  }
}
