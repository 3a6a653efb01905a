import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DataFolder, type FolderLock, lockFolder, openDataFolder } from '@holdfast/embedded';
import { isPath, loadMapping } from '@holdfast/node';
import { failed } from '../cli-error.ts';
import { type DevFile, readDevFile, runFolder } from './dev-file.ts';
import type { DevPlan } from './dev-options.ts';
import { devNodeIds } from './node-files.ts';

/** The data folder of a dev run, checked, and locked until `close` or the end of the process. */
export interface DevFolder {
  readonly folder: DataFolder;
  readonly temporary: boolean;
  /** Of the last run on it; null: it is new. */
  readonly earlier: DevFile | null;
  readonly nodes: number;
  /** As a node's configuration names it: a built-in's name or an absolute path. */
  readonly mapping: string;
  /** What tells one mapping from another, also when its file was changed. */
  readonly mappingId: string;
  /** Gives it free, and removes a temporary one. @param isKept for a look, also a temporary one */
  close(isKept: boolean): Promise<void>;
}

const nodesDefault = 3;

/** @throws CliError, one line, before anything is started */
export async function openDevFolder(plan: DevPlan, cwd: string): Promise<DevFolder> {
  const mapping = isPath(plan.mapping) ? resolve(cwd, plan.mapping) : plan.mapping;
  loadMapping(mapping);
  const mappingId = isPath(mapping)
    ? `sha256:${createHash('sha256').update(readFileSync(mapping)).digest('hex')}`
    : mapping;
  const temporary = plan.data === null;
  const dir = plan.data ?? mkdtempSync(join(tmpdir(), 'holdfast-dev-'));
  const opened = openDataFolder(dir, Date.now());
  if (opened.code !== 'OK') throw failed(opened.code, opened.text);
  const lock = await lockRun(dir);
  try {
    const earlier = readDevFile(dir);
    const nodes = nodesOf(dir, plan, earlier);
    const close = async (isKept: boolean): Promise<void> => {
      await lock.release();
      if (temporary && !isKept) rmSync(dir, { recursive: true, force: true });
    };
    return { folder: opened.folder, temporary, earlier, nodes, mapping, mappingId, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Before anything is read of it: another dev that began a moment ago has written nothing yet. */
async function lockRun(dir: string): Promise<FolderLock> {
  mkdirSync(runFolder(dir), { recursive: true });
  const lock = await lockFolder(runFolder(dir));
  if ('pid' in lock) {
    const text = `${dir} is in use by another holdfast dev (process ${lock.pid}): stop it, or choose another folder`;
    throw failed('FOLDER_IN_USE', text);
  }
  return lock;
}

/** How many nodes the cluster has. @throws CliError where the folder holds another one */
function nodesOf(dir: string, plan: DevPlan, earlier: DevFile | null): number {
  const nodes = plan.nodes ?? earlier?.nodes.length ?? nodesDefault;
  if (earlier === null) {
    // Their cluster has this log and this store, over which a second one would be founded.
    const found = readdirSync(join(dir, 'nodes'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const others = found.map(({ name }) => name).filter((id) => !devNodeIds(nodes).includes(id));
    if (others.length > 0) {
      const named = others.slice(0, 3).join(', ');
      throw failed(
        'FOREIGN_NODES',
        `${dir} holds nodes that are none of this run's (${named}): choose another folder, or say with --nodes how many it has, if they are of a dev`,
      );
    }
  } else if (earlier.nodes.length !== nodes) {
    const had = earlier.nodes.length;
    throw failed(
      'NODES_DIFFER',
      `${dir} holds a cluster of ${had} nodes: run it with --nodes ${had}, or choose another folder`,
    );
  }
  return nodes;
}
