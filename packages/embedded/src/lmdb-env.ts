import { assert } from '@holdfast/model';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EmbeddedError } from './errors.ts';
import { OpenGate } from './open-gate.ts';

/** One named table: binary keys, binary values. */
export type Table = Database<Uint8Array, Uint8Array>;

/** The tables to open, by name. `versions`: entries carry a number that conditional writes compare. */
export type TableSpecs = Readonly<Record<string, { readonly versions: boolean }>>;

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
  /** More than one process (or thread) opens it: see `OpenGate`. False only under a lock that keeps others out. */
  readonly shared: boolean;
  /** Slots of readers that died without a word are freed this often: each pins old pages, and the file grows. */
  readonly readerCheckMs: number;
}

export const defaultEnvLimits: EnvLimits = {
  mapBytes: 2 ** 36,
  readersMax: 512,
  writeTimeoutMs: 60_000,
  shared: true,
  readerCheckMs: 10_000,
};

/**
 * An LMDB environment that keeps what the ports promise:
 * - `overlappingSync` is off, so a commit syncs before it becomes visible: what a reader sees is flushed, and a write
 *   that resolved is durable (PROTOCOL.md 5.10).
 * - Writes are lists of (conditional) puts that LMDB's own thread applies: no JavaScript runs while the lock that all
 *   processes share is held. `exclusive` is the slow exception.
 * - No process opens or closes it while another one commits: `OpenGate` says why.
 * - Every write answers: done, or a thrown error; never a promise that stays open.
 */
export class LmdbEnv {
  readonly path: string;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #gate: OpenGate | null;
  readonly #limits: EnvLimits;
  readonly #readerCheck: NodeJS.Timeout;
  #closing: Promise<void> | null = null;
  /** A write failed: LMDB may have gone into its fatal state, in which asynchronous writes would never answer. */
  #suspect = false;

  private constructor(path: string, opened: Opened, gate: OpenGate | null, limits: EnvLimits) {
    this.path = path;
    this.#root = opened.root;
    this.#tables = opened.tables;
    this.#gate = gate;
    this.#limits = limits;
    this.#readerCheck = setInterval(() => opened.root.readerCheck(), limits.readerCheckMs).unref();
  }

  /**
   * Opens the environment in the folder `path` and these tables, creating what is missing.
   * @throws EmbeddedError READ_FAILED, WRITE_STALLED
   */
  static async open(path: string, specs: TableSpecs, limits: Partial<EnvLimits> = {}): Promise<LmdbEnv> {
    const all = { ...defaultEnvLimits, ...limits };
    let gate: OpenGate | null = null;
    try {
      if (all.shared) gate = await OpenGate.join(path, all.writeTimeoutMs);
      const open = (): Opened => openAll(path, specs, all);
      return new LmdbEnv(path, gate === null ? open() : await gate.whileOpening(open), gate, all);
    } catch (cause) {
      await gate?.end();
      if (cause instanceof EmbeddedError) throw cause;
      throw new EmbeddedError('READ_FAILED', `cannot open the LMDB environment ${path}`, { cause });
    }
  }

  /** One of the tables it was opened with. */
  table(name: string): Table {
    const table = this.#tables.get(name);
    assert(table !== undefined, `no table ${name} in ${this.path}`);
    return table;
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
    return this.#settle(async () => {
      let parts: Written[] = [];
      const committed = this.#root.batch(() => {
        parts = put();
      });
      try {
        await committed;
        return await Promise.all(parts);
      } catch (error) {
        for (const part of parts) part.catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * Runs `action` inside a write transaction, with all other writers of all processes shut out until this thread's
   * event loop comes round: for what is rare, or has lost the optimistic way too often. `action` must not throw after a put.
   */
  async exclusive<T>(action: () => T): Promise<T> {
    this.#checkOpen();
    this.#checkUsable();
    return this.#settle(() => this.#root.transaction(action));
  }

  /** Once, whoever asks how often: all get the one outcome. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#readerCheck);
    if (this.#gate === null) return this.#root.close();
    try {
      await this.#gate.whileClosing(() => this.#root.close());
    } finally {
      await this.#gate.end();
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new EmbeddedError('CLOSED', `${this.path} is closed`);
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

  async #settle<T>(run: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const waited = `${this.#limits.writeTimeoutMs} ms`;
        reject(new EmbeddedError('WRITE_STALLED', `a write to ${this.path} has had no answer for ${waited}`));
      }, this.#limits.writeTimeoutMs);
    });
    try {
      const running = this.#throughGate(run);
      // Also when it fails after it was given up.
      running.catch((error: unknown) => commitCause(error));
      return await Promise.race([running, stalled]);
    } catch (error) {
      if (error instanceof EmbeddedError) throw error;
      this.#suspect = true;
      throw new EmbeddedError('WRITE_FAILED', `a write to ${this.path} failed`, { cause: await commitCause(error) });
    } finally {
      clearTimeout(timer);
    }
  }

  /** `run` begins at once when nobody opens the environment. The gate is left when the write is over, however late. */
  async #throughGate<T>(run: () => Promise<T>): Promise<T> {
    const wait = this.#gate?.enter() ?? null;
    if (wait !== null) await wait;
    try {
      return await run();
    } finally {
      this.#gate?.leave();
    }
  }
}

interface Opened {
  readonly root: RootDatabase<Uint8Array, Uint8Array>;
  readonly tables: ReadonlyMap<string, Table>;
}

function openAll(path: string, specs: TableSpecs, limits: EnvLimits): Opened {
  const root = open<Uint8Array, Uint8Array>({
    path,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: 16,
    mapSize: limits.mapBytes,
    maxReaders: limits.readersMax,
    overlappingSync: false,
    // Off, or lmdb-js adds a batch of its own per turn, whose failure nobody could catch.
    eventTurnBatching: false,
  });
  root.readerCheck();
  const tables = new Map<string, Table>();
  for (const [name, { versions }] of Object.entries(specs)) {
    tables.set(name, root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', useVersions: versions }));
  }
  return { root, tables };
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
