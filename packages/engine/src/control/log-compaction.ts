import type { Logger } from '@holdfast/model';
import type { RaftEntry, RawNode } from '@holdfast/raft';
import type { RaftStorage } from '../ports/raft-storage.ts';
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

export interface LogCompactionOptions {
  readonly raft: Pick<RawNode, 'compact'>;
  readonly storage: Pick<RaftStorage, 'compact'>;
  readonly machine: Pick<StateMachine, 'snapshot'>;
  readonly logger: Logger;
  readonly rule: CompactionRule;
  readonly onFailed: (error: unknown) => void;
}

/** Keeps the log short: counts what was applied, takes a snapshot by the rule, stores one at a time beside the loop. */
export class LogCompaction {
  readonly #options: LogCompactionOptions;
  #entries = 0;
  #bytes = 0;
  #storing: Promise<void> | null = null;

  constructor(options: LogCompactionOptions) {
    this.#options = options;
  }

  /** Resolves when no snapshot is being stored. Never rejects: failures go to `onFailed`. */
  async settled(): Promise<void> {
    await this.#storing;
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

  /** Takes a snapshot of the state at `appliedIndex`, if one is due and none is being stored. */
  takeIfDue(appliedIndex: number): void {
    const { raft, storage, machine, logger, rule, onFailed } = this.#options;
    if (this.#storing !== null) return;
    if (this.#entries < rule.entriesMax && this.#bytes < rule.bytesMax) return;
    this.restarted();
    const snapshot = raft.compact(appliedIndex, machine.snapshot(), rule.trailingEntries);
    if (snapshot === null) return;
    logger.info('snapshot', { index: snapshot.index, bytes: snapshot.data.length });
    const firstIndexKept = Math.max(1, snapshot.index - rule.trailingEntries);
    this.#storing = storage
      .compact(snapshot, firstIndexKept)
      .catch(onFailed)
      .finally(() => {
        this.#storing = null;
      });
  }
}
