import { type Database, open, type RootDatabase } from 'lmdb';
import { EmbeddedError } from './errors.ts';

/** One named table: binary keys, binary values. */
export type Table = Database<Uint8Array, Uint8Array>;

/** What one write did: true where its condition held (or it had none), in the order returned. */
type Written = Promise<boolean>;

export interface EnvLimits {
  /**
   * Virtual memory reserved per environment and process; not disk space. Processes with different maps of one file
   * would have to remap, so it is far above what one machine's dev cluster writes; LMDB doubles it beyond that.
   */
  readonly mapBytes: number;
  /** Reading threads over all processes. */
  readonly readersMax: number;
  /** After this a write that has no answer rejects: a process stopped inside a transaction holds all others up. */
  readonly writeTimeoutMs: number;
  /** Slots of readers that died without a word are freed this often: each pins old pages, and the file grows. */
  readonly readerCheckMs: number;
}

export const defaultEnvLimits: EnvLimits = {
  mapBytes: 2 ** 36,
  readersMax: 512,
  writeTimeoutMs: 60_000,
  readerCheckMs: 10_000,
};

/**
 * An LMDB environment that keeps what the ports promise:
 * - `overlappingSync` is off, so a commit syncs before it becomes visible: what a reader sees is flushed, and a write
 *   that resolved is durable (PROTOCOL.md 5.10).
 * - Writes are lists of (conditional) puts that LMDB's own thread applies: no JavaScript runs while the lock that all
 *   processes share is held. `exclusive` is the slow exception.
 * - Every write answers: done, or a thrown error; never a promise that stays open.
 */
export class LmdbEnv {
  readonly path: string;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #limits: EnvLimits;
  readonly #readerCheck: NodeJS.Timeout;
  #closed = false;
  /** A write failed: LMDB may have gone into its fatal state, in which asynchronous writes would never answer. */
  #suspect = false;

  private constructor(path: string, root: RootDatabase<Uint8Array, Uint8Array>, limits: EnvLimits) {
    this.path = path;
    this.#root = root;
    this.#limits = limits;
    this.#readerCheck = setInterval(() => root.readerCheck(), limits.readerCheckMs).unref();
  }

  /** @throws EmbeddedError READ_FAILED */
  static open(path: string, limits: Partial<EnvLimits> = {}): LmdbEnv {
    const all = { ...defaultEnvLimits, ...limits };
    try {
      const root = open<Uint8Array, Uint8Array>({
        path,
        noSubdir: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        maxDbs: 16,
        mapSize: all.mapBytes,
        maxReaders: all.readersMax,
        overlappingSync: false,
        // Off, or lmdb-js adds a batch of its own per turn, whose failure nobody could catch.
        eventTurnBatching: false,
      });
      root.readerCheck();
      return new LmdbEnv(path, root, all);
    } catch (cause) {
      throw new EmbeddedError('READ_FAILED', `cannot open the LMDB environment ${path}`, { cause });
    }
  }

  /** `versions`: entries carry a number that conditional writes compare. */
  table(name: string, versions: boolean): Table {
    try {
      return this.#root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', useVersions: versions });
    } catch (cause) {
      throw new EmbeddedError('READ_FAILED', `cannot open table ${name} of ${this.path}`, { cause });
    }
  }

  /** Makes the reads that follow in this turn see the last commit of any process. */
  refresh(): void {
    this.#checkOpen();
    this.#root.resetReadTxn();
  }

  /**
   * Queues all that `put` writes as one transaction; resolves once it is durable.
   * @throws EmbeddedError WRITE_FAILED, WRITE_STALLED, CLOSED
   */
  async write(put: () => Written[]): Promise<boolean[]> {
    this.#checkOpen();
    this.#checkUsable();
    let parts: Written[] = [];
    const committed = this.#root.batch(() => {
      parts = put();
    });
    return this.#settle(async () => {
      await committed;
      return Promise.all(parts);
    }, parts);
  }

  /**
   * Runs `action` inside a write transaction, with all other writers of all processes shut out until this thread's
   * event loop comes round: for what is rare, or has lost the optimistic way too often. `action` must not throw after a put.
   */
  async exclusive<T>(action: () => T): Promise<T> {
    this.#checkOpen();
    this.#checkUsable();
    return this.#settle(() => this.#root.transaction(action), []);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#readerCheck);
    await this.#root.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new EmbeddedError('CLOSED', `${this.path} is closed`);
  }

  /** After a failure an empty transaction tells, by throwing, whether LMDB still works. */
  #checkUsable(): void {
    if (!this.#suspect) return;
    try {
      this.#root.transactionSync(() => undefined, 2);
      this.#suspect = false;
    } catch (cause) {
      throw new EmbeddedError('WRITE_FAILED', `${this.path} takes no writes after an earlier failure`, { cause });
    }
  }

  async #settle<T>(run: () => Promise<T>, parts: readonly Written[]): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const waited = `${this.#limits.writeTimeoutMs} ms`;
        reject(new EmbeddedError('WRITE_STALLED', `a write to ${this.path} has had no answer for ${waited}`));
      }, this.#limits.writeTimeoutMs);
    });
    try {
      const running = run();
      // Also when it fails after it was given up.
      running.catch((error: unknown) => commitCause(error));
      return await Promise.race([running, stalled]);
    } catch (error) {
      for (const part of parts) part.catch(() => undefined);
      if (error instanceof EmbeddedError) throw error;
      this.#suspect = true;
      throw new EmbeddedError('WRITE_FAILED', `a write to ${this.path} failed`, { cause: await commitCause(error) });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** lmdb-js hands the reason of a failed commit in a promise beside the error. */
async function commitCause(error: unknown): Promise<unknown> {
  const commitError = (error as { commitError?: Promise<unknown> }).commitError;
  if (commitError === undefined) return error;
  return commitError.then(
    () => error,
    (cause: unknown) => cause,
  );
}
