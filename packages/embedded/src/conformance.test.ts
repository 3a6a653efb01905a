import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Unit } from '@holdfast/model';
import { backupStoreConformance, logConformance, raftStorageConformance } from '@holdfast/testkit';
import { asBuffer, textKey, u64Key } from './binary-keys.ts';
import { LmdbBackupStore } from './lmdb-backup-store.ts';
import { LmdbEnv } from './lmdb-env.ts';
import { LmdbLog } from './lmdb-log.ts';
import { LmdbRaftStorage } from './lmdb-raft-storage.ts';
import { rowKey } from './stored-row.ts';
import { systemClock, temporaryFolder } from './test-support.test.ts';

logConformance('LMDB', async () => {
  const { dir, remove } = temporaryFolder();
  return {
    open: async () => LmdbLog.open(join(dir, 'log'), systemClock),
    deleteTopic: async (topic) => {
      const log = await LmdbLog.open(join(dir, 'log'), systemClock);
      await log.deleteTopic(topic);
      await log.close();
    },
    createLimited: null,
    fencesCommits: true,
    close: async () => remove(),
  };
});

backupStoreConformance(
  'LMDB',
  async () => {
    const { dir, remove } = temporaryFolder();
    const path = join(dir, 'store');
    return {
      open: () => LmdbBackupStore.open(path),
      lose: async () => rmSync(path, { recursive: true }),
      bend: (unit, part) => bendRow(path, unit, part),
      close: async () => remove(),
    };
  },
  { histories: 25 },
);

raftStorageConformance(
  'LMDB',
  async () => {
    const { dir, remove } = temporaryFolder();
    const path = join(dir, 'raft');
    return {
      open: () => LmdbRaftStorage.open(path),
      damage: async (what) => {
        const name = { hardState: 'state', entry: 'entries', snapshot: 'snapshots' }[what];
        const env = await LmdbEnv.open(path, { [name]: { versions: false } });
        const table = env.table(name);
        const [chunk] = table.getKeys({ limit: 1 });
        const key = { hardState: textKey('hard-state'), entry: u64Key(3), snapshot: chunk ?? textKey('none') }[what];
        const stored = table.getBinary(key);
        if (stored !== undefined) {
          const bytes = asBuffer(stored);
          bytes[bytes.length - 1]! ^= 0x10;
          await env.write(() => [table.put(key, bytes)]);
        }
        await env.close();
        return stored !== undefined;
      },
      close: async () => remove(),
    };
  },
  { histories: 25 },
);

test('what can not be read is discarded, and nothing else is', async () => {
  const { dir, remove } = temporaryFolder();
  const path = join(dir, 'store');
  const store = await LmdbBackupStore.open(path);
  const life = await store.generationId();
  const unit = { hi: 1, lo: 2 };
  const discard = () => store.discard(unit, () => true);
  assert.equal(await discard(), false, 'nothing is stored');
  await store.backup(life, [{ ...unit, epoch: 5, seq: 1, row: Uint8Array.of(1), savedUnixMs: 1 }]);
  assert.equal(await discard(), false);
  await bendRow(path, unit, 'row');
  assert.equal(await discard(), true);
  assert.deepEqual(await store.read(unit), { ...unit, epoch: 5, seq: 1, row: null, savedUnixMs: 0 }, 'the fence stays');
  assert.equal(await discard(), false);
  await bendRow(path, unit, 'all');
  assert.equal(await discard(), true);
  assert.deepEqual(await store.claim(life, [{ ...unit, epoch: 4 }]), {
    code: 'OK',
    results: [{ code: 'OK', row: null, markers: [] }],
  });
  await store.close();
  remove();
});

async function bendRow(path: string, unit: Unit, part: 'all' | 'row'): Promise<void> {
  const env = await LmdbEnv.open(path, { rows: { versions: true } });
  const [table, key] = [env.table('rows'), rowKey(unit)];
  const { value, version } = table.getEntry(key)!;
  const bytes = Buffer.from(asBuffer(value));
  // The epoch's first byte, or the row's last.
  bytes[part === 'all' ? 0 : bytes.length - 1]! ^= 0x10;
  await env.write(() => [table.put(key, bytes, version! + 1)]);
  await env.close();
}
