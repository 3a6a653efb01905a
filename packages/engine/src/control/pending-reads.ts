import type { ReadContext, ReadState } from '@holdfast/raft';
import { RaftDriverError } from './raft-driver-error.ts';

export interface ReadWaiter {
  resolve(index: number): void;
  reject(error: RaftDriverError): void;
}

/**
 * Reads on their way: first they wait for Raft's proof (ReadState), then until its index is applied. All reads that
 * wait at one moment share a context, so a burst of renewals costs one quorum round.
 */
export class PendingReads {
  readonly #unproven = new Map<ReadContext, { waiters: ReadWaiter[]; sinceTick: number }>();
  #proven: { index: number; waiters: ReadWaiter[] }[] = [];
  #nextContext = 1;

  /** Registers waiters under a new context, to be given to Raft. */
  begin(waiters: ReadWaiter[], tick: number): number {
    const context = this.#nextContext++;
    this.#unproven.set(context, { waiters, sinceTick: tick });
    return context;
  }

  refused(context: ReadContext, error: RaftDriverError): void {
    for (const waiter of this.#unproven.get(context)?.waiters ?? []) waiter.reject(error);
    this.#unproven.delete(context);
  }

  proven(states: readonly ReadState[]): void {
    for (const { context, index } of states) {
      const read = this.#unproven.get(context);
      if (read === undefined) continue;
      this.#unproven.delete(context);
      this.#proven.push({ index, waiters: read.waiters });
    }
  }

  applied(appliedIndex: number): void {
    if (this.#proven.length === 0) return;
    const ready = this.#proven.filter(({ index }) => index <= appliedIndex);
    if (ready.length === 0) return;
    this.#proven = this.#proven.filter(({ index }) => index > appliedIndex);
    for (const { index, waiters } of ready) for (const waiter of waiters) waiter.resolve(index);
  }

  /** Gives up reads without proof that began at or before `tick`. */
  expire(tick: number): void {
    for (const [context, { sinceTick }] of this.#unproven) {
      if (sinceTick <= tick) this.refused(context, new RaftDriverError('TIMED_OUT', 'no proof of leadership in time'));
    }
  }

  rejectUnproven(error: RaftDriverError): void {
    for (const context of [...this.#unproven.keys()]) this.refused(context, error);
  }

  rejectAll(error: RaftDriverError): void {
    this.rejectUnproven(error);
    for (const { waiters } of this.#proven) for (const waiter of waiters) waiter.reject(error);
    this.#proven = [];
  }
}
