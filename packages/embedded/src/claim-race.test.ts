import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LmdbBackupStore } from './lmdb-backup-store.ts';
import { temporaryFolder } from './test-support.test.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('a claim beside the last rows of the holder before: it has each that was accepted, and none is accepted after it', async () => {
  const { dir, remove } = temporaryFolder();
  const [before, next] = [
    await LmdbBackupStore.open(join(dir, 'store')),
    await LmdbBackupStore.open(join(dir, 'store')),
  ];
  const life = await before.generationId();
  const seen = { accepted: 0, fenced: 0 };
  try {
    for (let hi = 1; hi <= 200; hi++) {
      const unit = { hi, lo: 7 };
      const write = (seq: number) =>
        before.backup(life, [{ ...unit, epoch: 1, seq, row: bytesOf(`${seq}`), savedUnixMs: 0 }]);
      await write(1);
      // Either may be first in the store, whoever is asked first.
      const claiming = () => next.claim(life, [{ ...unit, epoch: 2 }]);
      const [claimed, written] =
        hi % 2 === 0
          ? await Promise.all([claiming(), write(2)])
          : await Promise.all([write(2), claiming()]).then(([w, c]) => [c, w] as const);
      assert.ok(claimed.code === 'OK' && written.code === 'OK');
      const [claim] = claimed.results;
      const [row] = written.results;
      assert.ok(claim?.code === 'OK' && claim.row !== null);
      const expected = row?.code === 'OK' ? '2' : '1';
      seen[row?.code === 'OK' ? 'accepted' : 'fenced']++;
      assert.equal(new TextDecoder().decode(claim.row), expected, `unit ${hi}: the row was ${row?.code}`);
      assert.equal(new TextDecoder().decode((await next.read(unit))!.row!), expected);
    }
  } finally {
    await before.close();
    await next.close();
    remove();
  }
  assert.ok(seen.accepted > 0 && seen.fenced > 0, JSON.stringify(seen));
});
