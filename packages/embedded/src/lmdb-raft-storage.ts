import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type RaftRestored, type RaftStorage, RaftStorageError } from '@holdfast/engine';
import { assert, ByteFormatError, InvariantError } from '@holdfast/model';
import { emptyRestored, type RaftEntry, type Snapshot } from '@holdfast/raft';
import { textKey, u64Key } from './binary-keys.ts';
import { createEnvFolder, padTornFile } from './env-file.ts';
import { EmbeddedError } from './errors.ts';
import { type EnvLimits, LmdbEnv, type Table, type TableSpecs } from './lmdb-env.ts';
import { checkMetaPages } from './meta-pages.ts';
import {
  type Bounds,
  decodeBounds,
  decodeEntry,
  decodeHardState,
  decodeIdentity,
  encodeBounds,
  encodeEntry,
  encodeHardState,
  encodeIdentity,
} from './raft-codec.ts';
import { type StagedSnapshot, StoredSnapshot } from './stored-snapshot.ts';

const formatVersion = 4;
const formatKey = textKey('format');
const hardStateKey = textKey('hard-state');
const boundsKey = textKey('bounds');
const identityKey = textKey('identity');
const tableSpecs: TableSpecs = {
  state: { versions: false },
  entries: { versions: false },
  snapshots: { versions: false },
};
/** One member's log: far less than the shared environments hold. */
const raftMapBytes = 2 ** 34;

type PersistWrite = Parameters<RaftStorage['persist']>[0];

/** Given what is stored, the puts of a transaction, and what is stored after them. */
type TurnWrite = (bounds: Bounds) => { readonly puts: Promise<boolean>[]; readonly bounds: Bounds };

/**
 * Raft log, vote and snapshot of one member, in an LMDB environment that only its process opens. Each `persist` is one
 * synced transaction, before which the data of a snapshot is staged. After a failed write nothing more is taken: what the disk holds is no longer known for sure.
 */
export class LmdbRaftStorage implements RaftStorage {
  readonly identity: string;
  readonly #env: LmdbEnv;
  readonly #state: Table;
  readonly #entries: Table;
  readonly #snapshot: StoredSnapshot;
  #bounds: Bounds | null = null;
  /** Writes go one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** Snapshots too, with other writes in between. */
  #lastSnapshot: Promise<unknown> = Promise.resolve();
  #failed: RaftStorageError | null = null;

  private constructor(env: LmdbEnv) {
    this.#env = env;
    this.#state = env.table('state');
    this.#entries = env.table('entries');
    this.#snapshot = new StoredSnapshot(this.#state, env.table('snapshots'));
    this.#checkFormat();
    this.identity = decodeIdentity(this.#stored(identityKey));
  }

  /**
   * Opens the environment in the folder `path`, creating it when the folder is missing.
   * The caller holds the node folder's lock.
   * @throws RaftStorageError CORRUPT, IO
   */
  static async open(path: string, limits: Partial<EnvLimits> = {}): Promise<LmdbRaftStorage> {
    const all = { mapBytes: raftMapBytes, shared: false, ...limits };
    try {
      if (!existsSync(path)) {
        await createEnvFolder(path, async (temporary) => {
          const env = await LmdbEnv.open(temporary, tableSpecs, all);
          const state = env.table('state');
          await env.write(() => [
            state.put(formatKey, Buffer.from([formatVersion])),
            state.put(hardStateKey, encodeHardState(emptyRestored.hardState)),
            state.put(boundsKey, encodeBounds({ first: 1, last: 0 })),
            state.put(identityKey, encodeIdentity(randomUUID())),
          ]);
          await env.close();
        });
      }
      padTornFile(path, all.mapBytes);
      // Each write puts the bounds, which are in this table.
      checkMetaPages(join(path, 'data.mdb'), 'state');
      const env = await LmdbEnv.open(path, tableSpecs, all);
      try {
        return new LmdbRaftStorage(env);
      } catch (error) {
        await env.close();
        throw error;
      }
    } catch (cause) {
      throw raftError('cannot open the Raft log', path, cause);
    }
  }

  async load(): Promise<RaftRestored> {
    try {
      this.#env.refresh();
      this.#checkFormat();
      const bounds = decodeBounds(this.#stored(boundsKey));
      const hardState = decodeHardState(this.#stored(hardStateKey));
      const snapshot = await this.#snapshot.load(setImmediate);
      const entries = this.#loadEntries(bounds);
      const follows = (snapshot?.index ?? 0) + 1;
      if (bounds.first > follows) corrupt(`entries begin at ${bounds.first}, after a gap from ${follows}`);
      this.#bounds = bounds;
      return { hardState, snapshot, entries };
    } catch (cause) {
      throw new RaftStorageError('CORRUPT', `the Raft log ${this.#env.path} is damaged: ${textOf(cause)}`, { cause });
    }
  }

  async persist({ hardState, entries, snapshot }: PersistWrite): Promise<void> {
    const start = entries[0]?.index;
    const end = start === undefined ? 0 : checkContiguous(entries);
    const write = (staged: StagedSnapshot | null) => (bounds: Bounds) => {
      const base = snapshot === null ? bounds : { first: snapshot.index + 1, last: snapshot.index };
      assert(start === undefined || (start >= base.first && start <= base.last + 1), `entry ${start} leaves a gap`);
      const puts: Promise<boolean>[] = [];
      if (hardState !== null) puts.push(this.#state.put(hardStateKey, encodeHardState(hardState)));
      if (snapshot !== null) {
        // All of the stored log goes: what lies beyond the snapshot may be of a term that lost.
        puts.push(...this.#snapshot.replace(snapshot, staged!), ...this.#remove(bounds.first, bounds.last));
      }
      if (start === undefined) return { puts, bounds: base };
      puts.push(...this.#remove(end + 1, base.last));
      for (const entry of entries) puts.push(this.#entries.put(u64Key(entry.index), encodeEntry(entry)));
      return { puts, bounds: { first: base.first, last: end } };
    };
    if (snapshot === null) await this.#inTurn(write(null));
    else await this.#withSnapshot(snapshot, write);
  }

  async compact(snapshot: Snapshot, firstIndexKept: number): Promise<void> {
    assert(firstIndexKept <= snapshot.index + 1, `keeping from ${firstIndexKept} leaves a gap after ${snapshot.index}`);
    await this.#withSnapshot(snapshot, (staged) => (bounds) => {
      const first = Math.max(bounds.first, firstIndexKept);
      const puts = [
        ...this.#snapshot.replace(snapshot, staged),
        ...this.#remove(bounds.first, Math.min(first - 1, bounds.last)),
      ];
      return { puts, bounds: { first, last: Math.max(bounds.last, first - 1) } };
    });
  }

  async close(): Promise<void> {
    await this.#lastSnapshot.catch(() => undefined);
    await this.#last.catch(() => undefined);
    await this.#env.close();
  }

  #checkFormat(): void {
    const format = this.#state.getBinary(formatKey);
    if (format?.[0] !== formatVersion) throw new EmbeddedError('CORRUPT', `format ${format?.[0]} is unknown`);
  }

  #stored(key: Buffer): Buffer {
    return this.#state.getBinary(key) ?? corrupt(`${key.toString()} is missing`);
  }

  #loadEntries(bounds: Bounds): RaftEntry[] {
    const entries: RaftEntry[] = [];
    for (let index = bounds.first; index <= bounds.last; index++) {
      const stored = this.#entries.getBinary(u64Key(index));
      if (stored === undefined) corrupt(`entry ${index} is missing`);
      entries.push(decodeEntry(index, stored));
    }
    const count = this.#entries.getKeysCount();
    if (count !== entries.length) corrupt(`${count} entries are stored where ${entries.length} should be`);
    return entries;
  }

  /** Stages the snapshot's data between other writes, then makes it the present one together with what else `write` puts. */
  #withSnapshot(snapshot: Snapshot, write: (staged: StagedSnapshot) => TurnWrite): Promise<void> {
    const turn = this.#lastSnapshot
      .catch(() => undefined)
      .then(async () => {
        const putOnly = (put: () => Promise<boolean>[]) => this.#inTurn((bounds) => ({ puts: put(), bounds }));
        const staged = await this.#snapshot.stage(snapshot.data, putOnly);
        await this.#inTurn(write(staged));
        this.#snapshot.replaced(staged);
      });
    this.#lastSnapshot = turn;
    return turn;
  }

  /** Both inclusive. */
  #remove(first: number, last: number): Promise<boolean>[] {
    const removals: Promise<boolean>[] = [];
    for (let index = first; index <= last; index++) removals.push(this.#entries.remove(u64Key(index)));
    return removals;
  }

  #inTurn(write: TurnWrite): Promise<void> {
    const turn = this.#last
      .catch(() => undefined)
      .then(async () => {
        if (this.#failed !== null) throw this.#failed;
        const before = this.#bounds;
        assert(before !== null, 'load comes before the first write');
        let after = before;
        try {
          await this.#env.write(() => {
            const { puts, bounds } = write(before);
            after = bounds;
            return [...puts, this.#state.put(boundsKey, encodeBounds(bounds))];
          });
          this.#bounds = after;
        } catch (cause) {
          if (cause instanceof InvariantError) throw cause;
          throw (this.#failed = raftError('cannot write the Raft log', this.#env.path, cause));
        }
      });
    this.#last = turn;
    return turn;
  }
}

function checkContiguous(entries: readonly RaftEntry[]): number {
  const first = entries[0]!.index;
  for (let i = 1; i < entries.length; i++)
    assert(entries[i]!.index === first + i, `entry ${entries[i]!.index} after a gap`);
  return first + entries.length - 1;
}

function corrupt(text: string): never {
  throw new EmbeddedError('CORRUPT', text);
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** LMDB's own names for a file that is not what it wrote. */
const lmdbDamage = /MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|VERSION_MISMATCH)|file is not/i;

function raftError(what: string, path: string, error: unknown): RaftStorageError {
  const cause = error instanceof EmbeddedError && error.cause !== undefined ? error.cause : error;
  const damaged =
    error instanceof ByteFormatError || (error as EmbeddedError).code === 'CORRUPT' || lmdbDamage.test(textOf(cause));
  return new RaftStorageError(damaged ? 'CORRUPT' : 'IO', `${what} ${path}: ${textOf(cause)}`, { cause });
}
