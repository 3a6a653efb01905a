import { type RaftRestored, type RaftStorage, RaftStorageError } from '@holdfast/engine';
import { type Rng, randomBelow } from '@holdfast/model';
import { emptyRestored, type Snapshot } from '@holdfast/raft';
import type { VirtualProcess } from './virtual-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export type PersistWrite = Parameters<RaftStorage['persist']>[0];

interface PendingWrite {
  readonly apply: (old: RaftRestored) => RaftRestored;
  isWritten: boolean;
}

export interface DiskEvents {
  /** A write is durable now; its writer doesn't know yet. */
  onSynced(write: PersistWrite, before: RaftRestored, after: RaftRestored): void;
  /** A write is on its way: the moment to crash in. */
  onWriting(): void;
  /** What became of a write on its way when its process died. */
  onCrashed(what: 'kept' | 'undone' | 'torn'): void;
}

/**
 * The disk under one Raft member, and what outlives its processes. Writes are atomic, one after the other: written
 * first, synced later. A crash keeps what was synced and a random part of what was on its way.
 */
export class SimulatedDisk {
  /** Unlike any other disk's; of at most eight letters, as member ids are made of it. */
  readonly identity: string;
  synced: RaftRestored = emptyRestored;
  isCorrupt = false;
  /** Until then each write fails (disk full), each sync fails (EIO). */
  writesFailUntilMs = 0;
  syncsFailUntilMs = 0;
  slowUntilMs = 0;
  slowMs = 0;
  /** The process that writes has met an error that was put here. */
  hasFailed = false;
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly #events: DiskEvents;
  #pending: PendingWrite[] = [];

  constructor(identity: string, time: VirtualTime, rng: Rng, events: DiskEvents) {
    this.identity = identity;
    this.#time = time;
    this.#rng = rng;
    this.#events = events;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The storage port of one process. */
  open(process: VirtualProcess): RaftStorage {
    this.hasFailed = false;
    let last: Promise<unknown> = Promise.resolve();
    let failed: RaftStorageError | null = null;
    const inTurn = (apply: PendingWrite['apply'], write: PersistWrite | null): Promise<void> => {
      const turn = last.then(() => {
        if (failed !== null) throw failed;
        return this.#write(process, apply, write);
      });
      last = turn.catch((error: unknown) => {
        failed ??= new RaftStorageError('IO', 'an earlier write failed', { cause: error });
      });
      return turn;
    };
    return {
      identity: this.identity,
      load: () =>
        new Promise((resolve, reject) => {
          process.receive(1, 'disk loaded', () => {
            if (this.isCorrupt) reject(new RaftStorageError('CORRUPT', 'the Raft log is damaged'));
            else resolve(this.synced);
          });
        }),
      persist: (write) => inTurn((old) => persisted(old, write), write),
      compact: (snapshot, firstIndexKept) => inTurn((old) => compacted(old, snapshot, firstIndexKept), null),
      close: async () => {},
    };
  }

  /** Its process has died: of what was on its way, a random part is there, or none. */
  crash(): void {
    let keep = randomBelow(this.#rng, this.#pending.length + 1);
    for (const { apply, isWritten } of this.#pending) {
      const isKept = isWritten && keep-- > 0;
      if (isKept) this.synced = apply(this.synced);
      // A page that was half written isn't reached from any root: as if it had never been begun.
      this.#events.onCrashed(isKept ? 'kept' : isWritten ? 'torn' : 'undone');
      if (!isKept) break;
    }
    this.#pending = [];
  }

  #write(process: VirtualProcess, apply: PendingWrite['apply'], write: PersistWrite | null): Promise<void> {
    const pending: PendingWrite = { apply, isWritten: false };
    this.#pending.push(pending);
    const forget = (): boolean => {
      const at = this.#pending.indexOf(pending);
      if (at >= 0) this.#pending.splice(at, 1);
      return at >= 0;
    };
    return new Promise((resolve, reject) => {
      const fail = (text: string): void => {
        this.hasFailed = true;
        process.receive(0, 'disk failed', () => reject(new RaftStorageError('IO', text)));
      };
      this.#time.schedule(0.1 + randomBelow(this.#rng, 10) / 10, null, 'quiet', 'disk write', () => {
        if (!this.#pending.includes(pending)) return;
        if (this.#time.nowMs < this.writesFailUntilMs) {
          forget();
          fail('ENOSPC');
          return;
        }
        pending.isWritten = true;
        this.#time.schedule(this.#syncMs(), null, 'quiet', 'disk sync', () => {
          if (!this.#pending.includes(pending)) return;
          // After a failed sync nobody knows what is there: it stays pending until the crash decides.
          if (this.#time.nowMs < this.syncsFailUntilMs) return fail('EIO');
          forget();
          const before = this.synced;
          this.synced = apply(before);
          if (write !== null) this.#events.onSynced(write, before, this.synced);
          process.receive(0.05, 'disk done', resolve);
          this.#events.onWriting();
        });
        this.#events.onWriting();
      });
    });
  }

  #syncMs(): number {
    const base = 0.2 + randomBelow(this.#rng, 30) / 10;
    return this.#time.nowMs < this.slowUntilMs ? base + randomBelow(this.#rng, this.slowMs) : base;
  }
}

function persisted(old: RaftRestored, write: PersistWrite): RaftRestored {
  const hardState = write.hardState ?? old.hardState;
  const snapshot = write.snapshot ?? old.snapshot;
  const kept = write.snapshot === null ? old.entries : [];
  const first = write.entries[0];
  if (first === undefined) return { hardState, snapshot, entries: kept };
  const before = kept.filter((entry) => entry.index < first.index);
  return { hardState, snapshot, entries: [...before, ...write.entries] };
}

function compacted(old: RaftRestored, snapshot: Snapshot, firstIndexKept: number): RaftRestored {
  return { ...old, snapshot, entries: old.entries.filter((entry) => entry.index >= firstIndexKept) };
}

/** Term of the entry at `index`, as the disk has it; null if it isn't there. */
export function termOnDisk({ snapshot, entries }: RaftRestored, index: number): number | null {
  if (index === 0) return 0;
  if (snapshot?.index === index) return snapshot.term;
  const first = entries[0];
  return first === undefined ? null : (entries[index - first.index]?.term ?? null);
}

export function lastOnDisk({ snapshot, entries }: RaftRestored): number {
  return entries[entries.length - 1]?.index ?? snapshot?.index ?? 0;
}
