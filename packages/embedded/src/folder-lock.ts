import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { textKey } from './binary-keys.ts';
import { compareAndPut } from './compare-and-put.ts';
import { LmdbEnv } from './lmdb-env.ts';

const holderKey = textKey('holder');
/** Unix socket addresses hold about a hundred bytes. */
const socketPathBytesMax = 100;

interface Holder {
  readonly pid: number;
  /** File name in the folder, or a full path. */
  readonly socket: string;
}

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * An exclusive lock on a folder that dies with its process, however that ends. Who holds it is written in a small LMDB
 * environment in the folder; that the holder lives is shown by a socket it listens on, which the kernel closes with it.
 * A dead holder is replaced by a compare-and-put on what was found, so two successors can't both win. Works across
 * containers that share the folder on one kernel, where process ids mean nothing.
 */
export async function lockFolder(dir: string): Promise<FolderLock | { readonly pid: number }> {
  const name = `lock-${randomBytes(6).toString('hex')}.sock`;
  const address = socketAddress(dir, name);
  const server = await listen(address.path);
  const mine: Holder = { pid: process.pid, socket: address.stored };
  let env: LmdbEnv | null = null;
  try {
    env = LmdbEnv.open(join(dir, 'lock'));
    const table = env.table('holder', true);
    for (;;) {
      env.refresh();
      const found = table.getBinary(holderKey);
      const holder = found === undefined ? null : (JSON.parse(found.toString()) as Holder);
      if (holder !== null && (await answers(dir, holder.socket))) {
        await closeServer(server);
        return { pid: holder.pid };
      }
      let won = false;
      const decide = (stored: Buffer | null): Uint8Array | null => {
        won = stored === null ? found === undefined : found?.equals(stored.subarray(0, stored.length)) === true;
        return won ? Buffer.from(JSON.stringify(mine)) : null;
      };
      await compareAndPut(env, table, [{ key: holderKey, decide }]);
      if (!won) continue;
      if (holder !== null) unlinkQuietly(fullPath(dir, holder.socket));
      return {
        release: async () => {
          await closeServer(server);
          unlinkQuietly(fullPath(dir, mine.socket));
        },
      };
    }
  } catch (error) {
    await closeServer(server);
    throw error;
  } finally {
    await env?.close();
    address.done();
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** Whether a process listens there. A process that is stopped counts: it may go on. */
async function answers(dir: string, socket: string): Promise<boolean> {
  const address = reach(dir, socket);
  try {
    return await new Promise((resolve) => {
      const client = connect(address.path);
      client.once('connect', () => {
        client.destroy();
        resolve(true);
      });
      client.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
      });
    });
  } finally {
    address.done();
  }
}

interface Address {
  readonly path: string;
  readonly stored: string;
  done(): void;
}

function socketAddress(dir: string, name: string): Address {
  if (process.platform === 'win32') return plain(`\\\\.\\pipe\\holdfast-${name}`, `\\\\.\\pipe\\holdfast-${name}`);
  if (process.platform === 'linux' || Buffer.byteLength(join(dir, name)) <= socketPathBytesMax) return reach(dir, name);
  return plain(join(tmpdir(), `holdfast-${name}`), join(tmpdir(), `holdfast-${name}`));
}

/** How to get at a stored socket. On Linux by way of the open folder: its own path may be too long for an address. */
function reach(dir: string, stored: string): Address {
  const path = fullPath(dir, stored);
  if (path === stored || Buffer.byteLength(path) <= socketPathBytesMax) return plain(path, stored);
  const fd = openSync(dir, 'r');
  return { path: `/proc/self/fd/${fd}/${stored}`, stored, done: () => closeSync(fd) };
}

function plain(path: string, stored: string): Address {
  return { path, stored, done: () => undefined };
}

function fullPath(dir: string, stored: string): string {
  return /[\\/]/.test(stored) ? stored : join(dir, stored);
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, which is as good.
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
