import { existsSync } from 'node:fs';
import { LmdbBackupStore } from '@holdfast/embedded';
import { exportUsers, loadJob, readStoredUser, type ShownState, type StoredUser, shownState } from '@holdfast/node';
import type { CompiledJob } from '@holdfast/sdk';
import { embeddedPart } from '../embedded-part.ts';

/** Reads users' states from a data folder's store, whether nodes run on it or not. Claims nothing, changes nothing. */
export class StoredUsers {
  readonly job: CompiledJob;
  /** Null: nothing was ever backed up. */
  readonly #store: LmdbBackupStore | null;

  private constructor(job: CompiledJob, store: LmdbBackupStore | null) {
    this.job = job;
    this.#store = store;
  }

  /** @throws CliError when the folder isn't one, or can't be read */
  static async open(dataDir: string, jobName: string): Promise<StoredUsers> {
    const storePath = embeddedPart(dataDir, 'store', 'give --addr HOST:PORT of a node that runs, in place of --data');
    // The mapping only matters to records, not to states.
    const job = await loadJob({ name: jobName, inputTopic: null, mapping: 'holdfast' });
    return new StoredUsers(job, existsSync(storePath) ? await LmdbBackupStore.open(storePath) : null);
  }

  /** What the job shows of each user, in ascending order of the key's bytes. */
  async *views(): AsyncGenerator<unknown> {
    if (this.#store !== null) yield* exportUsers(this.#store, this.job);
  }

  async get(key: Uint8Array): Promise<{ readonly stored: StoredUser; readonly shown: ShownState } | null> {
    const stored = this.#store === null ? null : await readStoredUser(this.#store, key);
    return stored === null ? null : { stored, shown: shownState(this.job, stored.state, key) };
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }
}
