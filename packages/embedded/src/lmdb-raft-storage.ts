import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type RaftRestored, type RaftStorage, RaftStorageError } from '@holdfast/engine';
import { assert, ByteFormatError, InvariantError } from '@holdfast/model';
import { emptyRestored, type RaftEntry, type Snapshot } from '@holdfast/raft';
import { textKey, u64Key } from './binary-keys.ts';
import { createEnvFolder, padTornFile } from './env-file.ts';
import { EmbeddedError } from './errors.ts';
import { type EnvLimits, LmdbEnv, type Table, type TableSpecs } from './lmdb-env.ts';
import {
  type Bounds,
  decodeBounds,
  decodeEntry,
  decodeHardState,
  decodeIdentity,
  decodeSnapshotHead,
  encodeBounds,
  encodeEntry,
  encodeHardState,
  encodeIdentity,
  encodeSnapshotHead,
  sumInPieces,
} from './raft-codec.ts';

const formatVersion = 2;
const formatKey = textKey('format');
const hardStateKey = textKey('hard-state');
const boundsKey = textKey('bounds');
const identityKey = textKey('identity');
const snapshotKey = textKey('snapshot');
const snapshotDataKey = textKey('snapshot-data');
const tableSpecs: TableSpecs = { state: { versions: false }, entries: { versions: false } };
/** One member's log: far less than the shared environments hold. */
const raftMapBytes = 2 ** 34;

type PersistWrite = Parameters<RaftStorage['persist']>[0];

/**
 * Raft log, vote and snapshot of one member, in an LMDB environment that only its process opens. Each `persist` is one
 * synced transaction. After a failed write nothing more is taken: what the disk holds is no longer known for sure.
 */
export class LmdbRaftStorage implements RaftStorage {
  readonly identity: string;
  readonly #env: LmdbEnv;
  readonly #state: Table;
  readonly #entries: Table;
  #bounds: Bounds | null = null;
  /** Writes go one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #failed: RaftStorageError | null = null;

  private constructor(env: LmdbEnv) {
    this.#env = env;
    this.#state = env.table('state');
    this.#entries = env.table('entries');
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
      padTornFile(path);
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
      const snapshot = await this.#loadSnapshot();
      const entries = this.#loadEntries(bounds);
      const follows = (snapshot?.index ?? 0) + 1;
      if (bounds.first > follows) corrupt(`entries begin at ${bounds.first}, after a gap from ${follows}`);
      this.#bounds = bounds;
      return { hardState, snapshot, entries };
    } catch (cause) {
      throw new RaftStorageError('CORRUPT', `the Raft log ${this.#env.path} is damaged: ${textOf(cause)}`, { cause });
    }
  }

  async persist(write: PersistWrite): Promise<void> {
    const sum = write.snapshot === null ? 0 : await sumInPieces(write.snapshot.data, setImmediate);
    const { hardState, entries, snapshot } = write;
    const start = entries[0]?.index;
    const end = start === undefined ? 0 : checkContiguous(entries);
    await this.#inTurn((bounds) => {
      const base = snapshot === null ? bounds : { first: snapshot.index + 1, last: snapshot.index };
      assert(start === undefined || (start >= base.first && start <= base.last + 1), `entry ${start} leaves a gap`);
      const puts: Promise<boolean>[] = [];
      if (hardState !== null) puts.push(this.#state.put(hardStateKey, encodeHardState(hardState)));
      if (snapshot !== null) {
        // All of the stored log goes: what lies beyond the snapshot may be of a term that lost.
        puts.push(...this.#putSnapshot(snapshot, sum), ...this.#remove(bounds.first, bounds.last));
      }
      if (start === undefined) return { puts, bounds: base };
      puts.push(...this.#remove(end + 1, base.last));
      for (const entry of entries) puts.push(this.#entries.put(u64Key(entry.index), encodeEntry(entry)));
      return { puts, bounds: { first: base.first, last: end } };
    });
  }

  async compact(snapshot: Snapshot, firstIndexKept: number): Promise<void> {
    const sum = await sumInPieces(snapshot.data, setImmediate);
    assert(firstIndexKept <= snapshot.index + 1, `keeping from ${firstIndexKept} leaves a gap after ${snapshot.index}`);
    await this.#inTurn((bounds) => {
      const first = Math.max(bounds.first, firstIndexKept);
      const puts = [
        ...this.#putSnapshot(snapshot, sum),
        ...this.#remove(bounds.first, Math.min(first - 1, bounds.last)),
      ];
      return { puts, bounds: { first, last: Math.max(bounds.last, first - 1) } };
    });
  }

  async close(): Promise<void> {
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

  async #loadSnapshot(): Promise<Snapshot | null> {
    const stored = this.#state.getBinary(snapshotKey);
    if (stored === undefined) return null;
    const data = this.#state.getBinary(snapshotDataKey) ?? Buffer.alloc(0);
    const { dataLength, dataSum, ...head } = decodeSnapshotHead(stored);
    if (data.length !== dataLength || (await sumInPieces(data, setImmediate)) !== dataSum) {
      corrupt(`the data of the snapshot at ${head.index} fails its checksum`);
    }
    return { ...head, data };
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

  #putSnapshot(snapshot: Snapshot, dataSum: number): Promise<boolean>[] {
    const { index, term, conf, data } = snapshot;
    const head = encodeSnapshotHead({ index, term, conf, dataLength: data.length, dataSum });
    const putHead = this.#state.put(snapshotKey, head);
    return [putHead, data.length > 0 ? this.#state.put(snapshotDataKey, data) : this.#state.remove(snapshotDataKey)];
  }

  /** Both inclusive. */
  #remove(first: number, last: number): Promise<boolean>[] {
    const removals: Promise<boolean>[] = [];
    for (let index = first; index <= last; index++) removals.push(this.#entries.remove(u64Key(index)));
    return removals;
  }

  #inTurn(write: (bounds: Bounds) => { puts: Promise<boolean>[]; bounds: Bounds }): Promise<void> {
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
