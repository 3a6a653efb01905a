import { join } from 'node:path';
import { LmdbBackupStore, LmdbLog } from '@holdfast/embedded';
import type { BackupStore, Log } from '@holdfast/engine';

/** The log and store of a run, as the harness itself uses them. */
export interface ChaosServices {
  readonly log: Pick<Log, 'append' | 'createTopic' | 'describe' | 'endOffsets' | 'openReader' | 'committed' | 'close'>;
  /** For the look at the end, when no node runs any more. */
  openStore(): Promise<BackupStore>;
  /** Groups of settings that every node gets. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Variables of the nodes' environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what it has started. */
  dispose(): Promise<void>;
}

/** @param dataDir the nodes' data folder, made already */
export type OpenServices = (dataDir: string) => Promise<ChaosServices>;

const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };

export const openEmbedded: OpenServices = async (dataDir) => {
  const log = await LmdbLog.open(join(dataDir, 'log'), clock);
  return {
    log,
    openStore: () => LmdbBackupStore.open(join(dataDir, 'store')),
    settings: {},
    env: {},
    dispose: () => log.close(),
  };
};
