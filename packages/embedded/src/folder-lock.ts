import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { textKey } from './binary-keys.ts';
import { compareAndPut } from './compare-and-put.ts';
import { lives, removeSign, showLife } from './life-sign.ts';
import { LmdbEnv } from './lmdb-env.ts';

const holderKey = textKey('holder');

interface Holder {
  readonly pid: number;
  /** Its life sign. */
  readonly socket: string;
}

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * An exclusive lock on a folder that dies with its process, however that ends. Who holds it is written in a small LMDB
 * environment in the folder; that the holder lives is shown by its life sign. A dead holder is replaced by a
 * compare-and-put on what was found, so two successors can't both win.
 */
export async function lockFolder(dir: string): Promise<FolderLock | { readonly pid: number }> {
  const sign = await showLife(dir, `lock-${randomBytes(6).toString('hex')}`);
  const mine: Holder = { pid: process.pid, socket: sign.stored };
  let env: LmdbEnv | null = null;
  try {
    env = await LmdbEnv.open(join(dir, 'lock'), { holder: { versions: true } });
    const table = env.table('holder');
    for (;;) {
      env.refresh();
      const found = table.getBinary(holderKey);
      const holder = found === undefined ? null : (JSON.parse(found.toString()) as Holder);
      if (holder !== null && (await lives(dir, holder.socket))) {
        await sign.end();
        return { pid: holder.pid };
      }
      let won = false;
      const decide = (stored: Buffer | null): Uint8Array | null => {
        won = stored === null ? found === undefined : found?.equals(stored.subarray(0, stored.length)) === true;
        return won ? Buffer.from(JSON.stringify(mine)) : null;
      };
      await compareAndPut(env, table, [{ key: holderKey, decide }]);
      if (!won) continue;
      if (holder !== null) removeSign(dir, holder.socket);
      return { release: () => sign.end() };
    }
  } catch (error) {
    await sign.end();
    throw error;
  } finally {
    await env?.close();
  }
}
