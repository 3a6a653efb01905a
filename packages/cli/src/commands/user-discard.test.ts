import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LmdbBackupStore, openDataFolder } from '@holdfast/embedded';
import { hashUnit, unitHashOut } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { runHere } from '../run-here.test.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-discard-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const row = encodeRow({ vector: [], users: [] });
const holdfast = (...args: string[]) => runHere(args, dir);

test('only a row that can not be read is removed, and only with --yes', async (t) => {
  const opened = openDataFolder(join(dir, 'data'), Date.now());
  assert.ok(opened.code === 'OK');
  const unitOf = (user: string) => {
    hashUnit(Buffer.from(user), 0, user.length);
    return { ...unitHashOut };
  };
  const store = await LmdbBackupStore.open(opened.folder.storePath);
  const generation = await store.generationId();
  const rows = { lea: row, max: Uint8Array.of(9, ...row.subarray(1)) };
  for (const [user, bytes] of Object.entries(rows))
    await store.backup(generation, [{ ...unitOf(user), epoch: 7, seq: 3, row: bytes, savedUnixMs: 1 }]);
  await store.close();
  const data = join(dir, 'data');
  for (const user of ['lea', 'nobody']) {
    const { exit, err } = await holdfast('user', 'discard', user, '--data', data, '--yes');
    assert.deepEqual([exit, /nothing is stored of unit [0-9a-f]{16} that can't be read/.test(err)], [3, true], err);
  }
  const look = await holdfast('user', 'discard', 'max', '--data', data);
  assert.deepEqual([look.exit, /of a format.*\nnothing was removed/.test(look.err)], [0, true], look.err);
  const mended = t.mock.method(LmdbBackupStore.prototype, 'discard', async () => false);
  const late = await holdfast('user', 'discard', 'max', '--data', data, '--yes');
  assert.deepEqual([late.exit, /nothing is stored.*that can't be read\n$/.test(late.err)], [3, true], late.err);
  mended.mock.restore();
  const done = await holdfast('user', 'discard', 'max', '--data', data, '--yes');
  assert.deepEqual([done.exit, /removed/.test(done.err)], [0, true], done.err);
  assert.equal((await holdfast('user', 'discard', 'max', '--data', data, '--yes')).exit, 3);
  const after = await LmdbBackupStore.open(opened.folder.storePath);
  assert.deepEqual(await after.read(unitOf('max')), { ...unitOf('max'), epoch: 7, seq: 3, row: null, savedUnixMs: 0 });
  assert.deepEqual(new Uint8Array((await after.read(unitOf('lea')))!.row!), row);
  await after.close();
});
