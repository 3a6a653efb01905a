import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LmdbBackupStore } from './lmdb-backup-store.ts';
import { temporaryFolder } from './test-support.test.ts';

test('a store whose environment answers nothing any more does not say which one it is either', async () => {
  const { dir, remove } = temporaryFolder();
  const store = await LmdbBackupStore.open(join(dir, 'store'));
  const life = await store.generationId();
  assert.equal(await store.generationId(), life);
  // As after an error at which LMDB begins no transaction any more.
  await store.close();
  await assert.rejects(store.generationId());
  await assert.rejects(store.read({ hi: 0, lo: 1 }));
  remove();
});
