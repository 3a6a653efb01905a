import { randomUUID } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '@holdfast/model';
import { type FolderRefusal, refusalOf } from './data-folder.ts';
import { makeFolders, replaceFile } from './durable-file.ts';
import { lockFolder } from './folder-lock.ts';

const nodeFile = 'node.json';
const nodeIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** A node's own folder, held under an exclusive lock until `close` or the end of the process. */
export interface NodeFolder {
  readonly dir: string;
  readonly nodeId: NodeId;
  /** Made with the folder. With `startCounter` it is the node's incarnation (PROTOCOL.md 1). */
  readonly uuid: string;
  /** 1 at the first start; raised durably before this object exists. */
  readonly startCounter: number;
  readonly raftPath: string;
  /** Of notes that outlive a crash: see `openCrashFolder`. */
  readonly crashPath: string;
  /** Counts another start, durably: for a new session within the same process. */
  raiseCounter(): number;
  close(): Promise<void>;
}

export type OpenedNodeFolder = { readonly code: 'OK'; readonly folder: NodeFolder } | FolderRefusal;

/**
 * Locks the node's folder below the data folder, making it when missing, and counts the start.
 * Refused with FOLDER_IN_USE while another process has it.
 */
export async function openNodeFolder(dataDir: string, nodeId: NodeId): Promise<OpenedNodeFolder> {
  const dir = join(dataDir, 'nodes', nodeId);
  if (!nodeIdPattern.test(nodeId)) {
    return {
      code: 'BAD_NODE_ID',
      dir: dataDir,
      text: `node id ${JSON.stringify(nodeId)}: letters, digits, . _ - wanted, at most 63`,
    };
  }
  try {
    makeFolders(dir);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    const lock = await lockFolder(dir);
    if ('pid' in lock)
      return { code: 'FOLDER_IN_USE', dir, pid: lock.pid, text: `${dir} is in use by process ${lock.pid}` };
    const identity = countStart(dir);
    if (identity === null) {
      await lock.release();
      return {
        code: 'DAMAGED_FOLDER',
        dir,
        text: `${join(dir, nodeFile)} can't be read: restore it, or remove ${dir} and join anew`,
      };
    }
    return {
      code: 'OK',
      folder: {
        dir,
        nodeId,
        ...identity,
        raftPath: join(dir, 'raft'),
        crashPath: join(dir, 'crash'),
        raiseCounter: () => {
          const raised = countStart(dir);
          if (raised === null) throw new Error(`${join(dir, nodeFile)} can't be read`);
          return raised.startCounter;
        },
        close: () => lock.release(),
      },
    };
  } catch (error) {
    const refusal = refusalOf(error, dir);
    if (refusal === null) throw error;
    return refusal;
  }
}

interface Identity {
  readonly uuid: string;
  readonly startCounter: number;
}

/** Null when the file is damaged: a new identity would let an old incarnation and this one pass for two nodes. */
function countStart(dir: string): Identity | null {
  const path = join(dir, nodeFile);
  let before: Identity = { uuid: randomUUID(), startCounter: 0 };
  try {
    before = JSON.parse(readFileSync(path, 'utf8')) as Identity;
    if (typeof before?.uuid !== 'string' || !Number.isSafeInteger(before.startCounter)) return null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const identity = { uuid: before.uuid, startCounter: before.startCounter + 1 };
  replaceFile(path, `${JSON.stringify({ format: 1, ...identity }, null, 2)}\n`);
  return identity;
}
