import { RaftDriverError } from './raft-driver-error.ts';

export interface ProposalWaiter {
  resolve(applied: { readonly index: number }): void;
  reject(error: RaftDriverError): void;
}

/** Proposals in the log whose outcome their callers wait for. An outcome is known when the entry at the index is applied. */
export class PendingProposals {
  readonly #byIndex = new Map<number, { term: number; waiter: ProposalWaiter }>();

  get count(): number {
    return this.#byIndex.size;
  }

  add(index: number, term: number, waiter: ProposalWaiter): void {
    // An index that comes twice means that another leader overwrote the first one's entry.
    this.#byIndex.get(index)?.waiter.reject(new RaftDriverError('LOST_LEADERSHIP', `entry ${index} was replaced`));
    this.#byIndex.set(index, { term, waiter });
  }

  applied(index: number, term: number): void {
    const pending = this.#byIndex.get(index);
    if (pending === undefined) return;
    this.#byIndex.delete(index);
    if (pending.term === term) pending.waiter.resolve({ index });
    else pending.waiter.reject(new RaftDriverError('LOST_LEADERSHIP', `entry ${index} was replaced in term ${term}`));
  }

  /** Of all waiters, or of those whose term isn't `exceptTerm`. */
  rejectAll(error: RaftDriverError, exceptTerm = -1): void {
    for (const [index, { term, waiter }] of this.#byIndex) {
      if (term === exceptTerm) continue;
      this.#byIndex.delete(index);
      waiter.reject(error);
    }
  }
}
