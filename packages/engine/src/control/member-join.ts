import type { Timers } from '../ports/timers.ts';
import { encodeJson } from './calls.ts';
import type { LeaderCalls } from './leader-calls.ts';
import { type JoinRequest, joinMethod } from './member-keeper.ts';
import type { RaftDriver } from './raft-driver.ts';

const askMs = 1_000;

export interface MemberJoinOptions {
  readonly member: string;
  readonly driver: Pick<RaftDriver, 'members'>;
  readonly leaderCalls: Pick<LeaderCalls, 'once'>;
  readonly timers: Timers;
}

/** As long as this node isn't among Raft's members, it asks the leader for being taken in. */
export class MemberJoin {
  readonly #options: MemberJoinOptions;
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
      const { member, driver, leaderCalls } = this.#options;
      const { voters, votersOutgoing, learners, learnersNext } = driver.members();
      if ([...voters, ...votersOutgoing, ...learners, ...learnersNext].includes(member)) return;
      const request: JoinRequest = { member };
      // The next second asks again.
      void leaderCalls.once(joinMethod, encodeJson(request), askMs);
    });
  }
}
