import { assert } from '@holdfast/model';
import type { RaftEntry, Snapshot } from '@holdfast/raft';
import { delay, type Timers } from '../ports/timers.ts';
import { restoreMachine } from './sliced.ts';
import type { StateMachine } from './state-machine.ts';

/** Gives the state machine what is committed, in order and each entry once, without keeping the event loop for long. */
export class EntryApplier {
  readonly #machine: StateMachine;
  readonly #timers: Timers;
  readonly #turnBytesMax: number;
  readonly #onApplied: (entry: RaftEntry) => void;
  #index = 0;
  #term = 0;
  #turnBytes = 0;

  /**
   * @param turnBytesMax payload applied before `giveWay` lets the event loop turn
   * @param onApplied called after each entry
   */
  constructor(
    { machine, timers }: { readonly machine: StateMachine; readonly timers: Timers },
    turnBytesMax: number,
    onApplied: (entry: RaftEntry) => void,
  ) {
    this.#machine = machine;
    this.#timers = timers;
    this.#turnBytesMax = turnBytesMax;
    this.#onApplied = onApplied;
  }

  /** Of the last entry that the state includes. */
  get index(): number {
    return this.#index;
  }

  get term(): number {
    return this.#term;
  }

  /** Replaces the state. Nothing else may be applied before it resolves. */
  async restore(snapshot: Pick<Snapshot, 'index' | 'term' | 'data'>): Promise<void> {
    await restoreMachine(this.#machine, snapshot, this.#timers);
    this.#index = snapshot.index;
    this.#term = snapshot.term;
  }

  /** Applies entries; afterwards, and after a restoration, all may be shown. */
  apply(entries: readonly RaftEntry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.#index + 1, `entry ${entry.index} to apply after ${this.#index}`);
      // Configurations are the core's own matter.
      if (entry.kind === 'data') this.#machine.apply(entry);
      this.#index = entry.index;
      this.#term = entry.term;
      this.#turnBytes += entry.data.length;
      this.#onApplied(entry);
    }
    this.#machine.applied(this.#index);
  }

  /** A long log to apply must not keep ticks, messages and renewals waiting. */
  async giveWay(): Promise<void> {
    if (this.#turnBytes < this.#turnBytesMax) return;
    this.#turnBytes = 0;
    await delay(this.#timers, 0);
  }
}
