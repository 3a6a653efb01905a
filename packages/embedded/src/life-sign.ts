import { closeSync, openSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Unix socket addresses hold about a hundred bytes. */
const socketPathBytesMax = 100;

/** Shows others that its process lives. */
export interface LifeSign {
  /** What `lives` takes: a file name in the folder, or a full path. */
  readonly stored: string;
  /** Ends the sign, as the end of the process would, and removes its file. */
  end(): Promise<void>;
}

/**
 * A socket in the folder `dir` that its process listens on: the kernel closes it with the process, however that ends.
 * Works across containers that share the folder on one kernel, where process ids mean nothing.
 */
export async function showLife(dir: string, name: string): Promise<LifeSign> {
  const address = socketAddress(dir, `${name}.sock`);
  const { stored } = address;
  try {
    const server = await listen(address.path);
    return {
      stored,
      end: async () => {
        await new Promise<void>((resolve) => server.close(() => resolve()));
        removeSign(dir, stored);
      },
    };
  } finally {
    address.done();
  }
}

/** Whether the process that showed this sign lives. One that is stopped does: it may go on. */
export async function lives(dir: string, stored: string): Promise<boolean> {
  const address = reach(dir, stored);
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

/** Removes what a dead process left. */
export function removeSign(dir: string, stored: string): void {
  try {
    unlinkSync(fullPath(dir, stored));
  } catch {
    // Gone already, which is as good.
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
