import { type RaftRestored, type RaftStorage, RaftStorageError } from '@holdfast/engine';
import { assert } from '@holdfast/model';
import { emptyRestored, type Snapshot } from '@holdfast/raft';
import { type TwinHooks, throughHooks } from './twin-hooks.ts';

type PersistWrite = Parameters<RaftStorage['persist']>[0];

/** What outlives the process of one member. */
export class MemoryRaftDisk {
  readonly identity: string;
  restored: RaftRestored = emptyRestored;
  /** Bytes were damaged: the next load must find out. */
  damaged = false;

  /** @param identity another one for each disk of a simulation */
  constructor(identity = 'disk') {
    this.identity = identity;
  }
}

/**
 * The in-memory twin of a member's Raft storage. A write lands whole when its turn comes, or, if the process died
 * while `before` held it back, not at all.
 */
export class MemoryRaftStorage implements RaftStorage {
  readonly #disk: MemoryRaftDisk;
  readonly #hooks: TwinHooks;
  /** Writes go one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #failed: RaftStorageError | null = null;

  constructor(disk: MemoryRaftDisk, hooks: TwinHooks = {}) {
    this.#disk = disk;
    this.#hooks = hooks;
  }

  get identity(): string {
    return this.#disk.identity;
  }

  load(): Promise<RaftRestored> {
    return throughHooks(this.#hooks, 'load', () => {
      if (this.#disk.damaged) throw new RaftStorageError('CORRUPT', 'the Raft log is damaged');
      return this.#disk.restored;
    });
  }

  persist(write: PersistWrite): Promise<void> {
    return this.#inTurn('persist', (old) => {
      const hardState = write.hardState ?? old.hardState;
      const snapshot = write.snapshot ?? old.snapshot;
      // What lies beyond a snapshot that replaces the log may be of a term that lost.
      const kept = write.snapshot === null ? old.entries : [];
      const first = write.entries[0];
      if (first === undefined) return { hardState, snapshot, entries: kept };
      const before = kept.filter((entry) => entry.index < first.index);
      const follows = (before.at(-1)?.index ?? snapshot?.index ?? 0) + 1;
      assert(first.index === follows, `entry ${first.index} where ${follows} should follow`);
      const entries = [...before, ...write.entries.map((entry) => ({ ...entry, data: entry.data.slice() }))];
      return { hardState, snapshot, entries };
    });
  }

  compact(snapshot: Snapshot, firstIndexKept: number): Promise<void> {
    return this.#inTurn('compact', (old) => {
      assert(
        firstIndexKept <= snapshot.index + 1,
        `keeping from ${firstIndexKept} leaves a gap after ${snapshot.index}`,
      );
      return { ...old, snapshot, entries: old.entries.filter((entry) => entry.index >= firstIndexKept) };
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
  }

  #inTurn(operation: string, apply: (old: RaftRestored) => RaftRestored): Promise<void> {
    const turn = this.#last
      .catch(() => undefined)
      .then(async () => {
        if (this.#failed !== null) throw this.#failed;
        try {
          await throughHooks(this.#hooks, operation, () => {
            this.#disk.restored = apply(this.#disk.restored);
          });
        } catch (cause) {
          // As on a real disk: after a failure nobody knows what is there, and the member must stop.
          this.#failed = new RaftStorageError('IO', 'the Raft log could not be written', { cause });
          throw this.#failed;
        }
      });
    this.#last = turn;
    return turn;
  }
}
