import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { failingDiskEnv } from './failing-disk.ts';
import { buildPreload } from './preload.ts';
import { unsyncedWritesEnv } from './unsynced-writes.ts';

/**
 * `failing`: the nodes' Raft logs are on disks that fail on command. `losing`: so are all their LMDB files, and a power cut
 * can take what isn't synced.
 */
export type Disks = 'failing' | 'losing';

export const journalsPath = (runDir: string): string => join(runDir, 'unsynced');

/** Makes what such disks need. @returns the variables with which a node is on one */
export function makeDisks(disks: Disks, dir: string, runDir: string): (id: string) => Record<string, string> {
  const failing = buildPreload(dir, 'failing-disk');
  if (disks === 'failing') return (id) => failingDiskEnv(failing, `/nodes/${id}/raft`, runDir, id);
  const unsynced = buildPreload(dir, 'unsynced-writes');
  const journals = journalsPath(runDir);
  mkdirSync(journals, { recursive: true });
  const data = `${join(realpathSync(dir), 'data')}/`;
  const kept = unsyncedWritesEnv(unsynced, data, journals);
  return (id) => ({
    ...kept,
    ...failingDiskEnv(failing, data, runDir, id),
    // A sync is late first, then one.
    LD_PRELOAD: `${failing}:${unsynced}`,
  });
}
