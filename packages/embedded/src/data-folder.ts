import { randomUUID } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFile, isTemporary, makeFolders } from './durable-file.ts';

const formatVersion = 1;
const clusterFile = 'cluster.json';
/** What a fresh file system may hold beside us. */
const harmlessNames = new Set(['lost+found', '.DS_Store']);

/** The folder of a dev cluster: `cluster.json`, `log/` and `store/` shared by the machine's processes, `nodes/ID/`. */
export interface DataFolder {
  readonly dir: string;
  readonly clusterId: string;
  readonly createdUnixMs: number;
  readonly logPath: string;
  readonly storePath: string;
}

export const folderErrorCodes = [
  'NOT_A_FOLDER',
  'NOT_WRITABLE',
  'FOREIGN_FOLDER',
  'DAMAGED_FOLDER',
  'FORMAT_TOO_NEW',
  'BAD_NODE_ID',
  'FOLDER_IN_USE',
] as const;
export type FolderErrorCode = (typeof folderErrorCodes)[number];

/** Why a folder is refused, in words for its operator. `pid`: who uses it, where that is known. */
export interface FolderRefusal {
  readonly code: FolderErrorCode;
  readonly dir: string;
  readonly text: string;
  readonly pid?: number;
}

export type OpenedDataFolder = { readonly code: 'OK'; readonly folder: DataFolder } | FolderRefusal;

/**
 * Opens the data folder, or makes one where there is nothing or an empty folder. Several processes may do so at once.
 * A folder with other things in it is refused: it may be somebody's home.
 */
export function openDataFolder(path: string, nowUnixMs: number): OpenedDataFolder {
  const dir = resolve(path);
  const refuse = (code: FolderErrorCode, text: string): FolderRefusal => ({ code, dir, text });
  try {
    makeFolders(dir);
    if (!statSync(dir).isDirectory()) return refuse('NOT_A_FOLDER', `${dir} is not a folder`);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (readCluster(dir) === null) {
      const foreign = readdirSync(dir).filter((name) => !isTemporary(name) && !harmlessNames.has(name));
      // Another process may have made the folder ours since the look before.
      if (foreign.length > 0 && readCluster(dir) === null) {
        const text = `${dir} holds other files (${foreign.slice(0, 3).join(', ')}) and no ${clusterFile}; choose an empty or a new folder`;
        return refuse('FOREIGN_FOLDER', text);
      }
      createFile(join(dir, clusterFile), clusterText(nowUnixMs));
    }
    const text = readCluster(dir)!;
    const cluster = parseCluster(text);
    if (cluster === null)
      return refuse(
        'DAMAGED_FOLDER',
        `${join(dir, clusterFile)} can't be read: restore it, or start with a new folder`,
      );
    if (cluster.format > formatVersion) {
      const found = `format ${cluster.format}; this program knows formats up to ${formatVersion}`;
      return refuse('FORMAT_TOO_NEW', `${dir} was written by a newer version (${found})`);
    }
    makeFolders(join(dir, 'nodes'));
    const { clusterId, createdUnixMs } = cluster;
    return {
      code: 'OK',
      folder: { dir, clusterId, createdUnixMs, logPath: join(dir, 'log'), storePath: join(dir, 'store') },
    };
  } catch (error) {
    const refusal = refusalOf(error, dir);
    if (refusal === null) throw error;
    return refusal;
  }
}

/** The refusal that a file error stands for; null for one that nobody expects. */
export function refusalOf(error: unknown, dir: string): FolderRefusal | null {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (['EEXIST', 'ENOTDIR'].includes(code)) return { code: 'NOT_A_FOLDER', dir, text: `${dir} is not a folder` };
  if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOENT'].includes(code)) {
    return { code: 'NOT_WRITABLE', dir, text: `${dir} can't be written (${code})` };
  }
  return null;
}

interface Cluster {
  readonly format: number;
  readonly clusterId: string;
  readonly createdUnixMs: number;
}

function clusterText(createdUnixMs: number): string {
  const cluster: Cluster = { format: formatVersion, clusterId: randomUUID(), createdUnixMs };
  return `${JSON.stringify({ program: 'holdfast', ...cluster }, null, 2)}\n`;
}

function readCluster(dir: string): string | null {
  try {
    return readFileSync(join(dir, clusterFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseCluster(text: string): Cluster | null {
  try {
    const found = JSON.parse(text) as Partial<Cluster> & { program?: unknown };
    if (found.program !== 'holdfast' || typeof found.format !== 'number') return null;
    // A newer format may say the rest in another way.
    if (found.format > formatVersion) return { format: found.format, clusterId: '', createdUnixMs: 0 };
    if (typeof found.clusterId !== 'string' || typeof found.createdUnixMs !== 'number') return null;
    return { format: found.format, clusterId: found.clusterId, createdUnixMs: found.createdUnixMs };
  } catch {
    return null;
  }
}
