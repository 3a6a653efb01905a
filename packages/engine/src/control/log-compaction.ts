import type { Logger } from '@holdfast/model';
import type { RaftEntry, RawNode } from '@holdfast/raft';
import type { RaftStorage } from '../ports/raft-storage.ts';
import type { Timers } from '../ports/timers.ts';
import { snapshotOf } from './sliced.ts';
import type { StateMachine } from './state-machine.ts';

export interface CompactionRule {
  /** A snapshot is taken after this many entries, or this many bytes of them, whichever is first. */
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** Entries kept before a snapshot, so that a follower a little behind needs no snapshot. */
  readonly trailingEntries: number;
}

/** A grant of 1,000 units is about 16 kB: 64 MiB of log are four million grants, seconds to replay. */
export const defaultCompaction: CompactionRule = {
  entriesMax: 20_000,
  bytesMax: 64 * 1024 * 1024,
  trailingEntries: 1_000,
};

/** The entries of so many snapshots are kept for peers that lack them: each is worth `entriesMax` or `bytesMax`. */
export const snapshotsBehindMax = 4;

export interface LogCompactionOptions {
  readonly raft: Pick<RawNode, 'compact' | 'status'>;
  readonly storage: Pick<RaftStorage, 'compact'>;
  readonly machine: Pick<StateMachine, 'snapshot' | 'beginSnapshot'>;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly rule: CompactionRule;
  /** The snapshot that the storage had at the start ends with it; 0: it had none. */
  readonly startIndex: number;
  readonly onFailed: (error: unknown) => void;
}

/** Keeps the log short: counts what was applied, makes and stores a snapshot by the rule, one at a time beside the loop. */
export class LogCompaction {
  readonly #options: LogCompactionOptions;
  #entries = 0;
  #bytes = 0;
  /** Indexes of the last snapshots taken here. */
  readonly #taken: number[] = [];
  /** A snapshot is being made or stored. */
  #taking: Promise<void> | null = null;

  constructor(options: LogCompactionOptions) {
    this.#options = options;
  }

  /** Resolves when no snapshot is being made or stored. Never rejects: failures go to `onFailed`. */
  async settled(): Promise<void> {
    await this.#taking;
  }

  /** A leader's snapshot has taken the place of the log. */
  restarted(): void {
    this.#entries = 0;
    this.#bytes = 0;
  }

  applied(entry: RaftEntry): void {
    this.#entries++;
    this.#bytes += entry.data.length;
  }

  /** Takes a snapshot of the state at `appliedIndex`, if one is due and none is under way. */
  takeIfDue(appliedIndex: number): void {
    const { rule, onFailed } = this.#options;
    if (this.#taking !== null) return;
    if (this.#entries < rule.entriesMax && this.#bytes < rule.bytesMax) return;
    this.restarted();
    this.#taking = this.#take(appliedIndex)
      .catch(onFailed)
      .finally(() => {
        this.#taking = null;
      });
  }

  /** The log goes on while the snapshot is made: it is of the moment of the call. */
  async #take(index: number): Promise<void> {
    const { raft, storage, machine, timers, logger, rule } = this.#options;
    const data = await snapshotOf(machine, timers);
    // Null: a leader's snapshot has come meanwhile.
    const trailingEntries = Math.max(rule.trailingEntries, index - this.#neededFrom(index));
    const snapshot = raft.compact(index, data, trailingEntries);
    if (snapshot === null) return;
    this.#taken.push(index);
    if (this.#taken.length > snapshotsBehindMax) this.#taken.shift();
    logger.info('snapshot', { index: snapshot.index, bytes: snapshot.data.length });
    await storage.compact(snapshot, Math.max(1, snapshot.index - trailingEntries));
  }

  /**
   * The last entry that each peer has, or will have once the snapshot on its way is there. Without what follows, the peer
   * would be sent another snapshot, and so for ever where entries come faster than snapshots arrive and are restored.
   * Whether it is heard says nothing: who stores and restores a snapshot is silent meanwhile.
   */
  #neededFrom(index: number): number {
    const isFull = this.#taken.length === snapshotsBehindMax;
    // Not from the log's beginning: who is started again and again before it has taken so many would never drop anything.
    const floor = isFull ? this.#taken[0]! : this.#options.startIndex;
    let needed = index;
    for (const { snapshot, match } of this.#options.raft.status().progress.values()) {
      const from = snapshot?.index ?? match;
      // Who is further behind is sent a newer snapshot, whatever is kept.
      if (from >= floor) needed = Math.min(needed, from);
    }
    return needed;
  }
}
