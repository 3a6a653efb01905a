import type { NodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';
import type { Timers } from '../ports/timers.ts';
import { nodeOfMember } from './member-id.ts';

/**
 * What a member takes of the messages of peers: those of members of the very node. Proposals are none of them: nodes ask
 * the leader to decide, and what another one would put into the log could end all that apply it. A blank member listens,
 * after a promise to a founder, for a while, to nobody else.
 */
export class RaftHearing {
  readonly #timers: Timers;
  #only: { readonly member: string; readonly untilMs: number } | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  listenOnlyTo(member: string, durationMs: number): void {
    this.#only = { member, untilMs: this.#timers.monotonicMs() + durationMs };
  }

  hears(from: NodeId, { type, from: member }: RaftMessage, isBlank: boolean): boolean {
    if (nodeOfMember(member) !== from || type === 'propose') return false;
    if (this.#only === null || !isBlank) return true;
    return this.#only.member === member || this.#timers.monotonicMs() >= this.#only.untilMs;
  }
}
