import type { RaftMessage } from '@holdfast/raft';
import type { ProposalWaiter } from './pending-proposals.ts';
import type { RaftDriverError } from './raft-driver-error.ts';

export type RaftMail =
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly message: RaftMessage }
  | { readonly kind: 'propose'; readonly data: Uint8Array; readonly waiter: ProposalWaiter }
  | { readonly kind: 'unreachable'; readonly peer: string }
  | { readonly kind: 'call'; readonly run: () => void; readonly reject: (error: RaftDriverError) => void };

export interface RaftMailboxLimits {
  /** Raft messages waiting to be stepped; more are dropped, as the network may drop them. */
  readonly mailboxMessagesMax: number;
  /** Ticks waiting behind a slow disk: more would only make this node impatient. */
  readonly ticksMax: number;
}

/**
 * What waits for a Raft member while its disk is busy, in the order of arrival. What may be lost has a bound here;
 * proposals are bounded by who takes them, since those in the log count too.
 */
export class RaftMailbox {
  readonly #limits: RaftMailboxLimits;
  #mail: RaftMail[] = [];
  #messages = 0;
  #ticks = 0;
  #proposals = 0;

  constructor(limits: RaftMailboxLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#mail.length;
  }

  get proposalCount(): number {
    return this.#proposals;
  }

  tick(): void {
    if (this.#ticks >= this.#limits.ticksMax) return;
    this.#ticks++;
    this.#mail.push({ kind: 'tick' });
  }

  messages(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      if (this.#messages >= this.#limits.mailboxMessagesMax) return;
      this.#messages++;
      this.#mail.push({ kind: 'message', message });
    }
  }

  propose(data: Uint8Array, waiter: ProposalWaiter): void {
    this.#proposals++;
    this.#mail.push({ kind: 'propose', data, waiter });
  }

  /** Once per peer is enough. */
  unreachable(peer: string): void {
    if (this.#mail.some((mail) => mail.kind === 'unreachable' && mail.peer === peer)) return;
    this.#mail.push({ kind: 'unreachable', peer });
  }

  /** `reject` is called where `run` never will be. */
  call(run: () => void, reject: (error: RaftDriverError) => void): void {
    this.#mail.push({ kind: 'call', run, reject });
  }

  /** Empties the box. */
  take(): readonly RaftMail[] {
    const mail = this.#mail;
    this.#mail = [];
    this.#messages = 0;
    this.#ticks = 0;
    this.#proposals = 0;
    return mail;
  }

  /** Empties the box for good, and tells those who wait for an answer. */
  rejectAll(error: RaftDriverError): void {
    for (const mail of this.take()) {
      if (mail.kind === 'propose') mail.waiter.reject(error);
      else if (mail.kind === 'call') mail.reject(error);
    }
  }
}
