import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import type { BackupStoreHarness } from './backup-store-conformance.ts';

const partition = { topicId: topicId('t1'), partition: 0 };
const row = { hi: 1, lo: 7, epoch: 1, seq: 1, row: Uint8Array.of(1), savedUnixMs: 1_000 };

/** What a store says of the generation before it (PROTOCOL.md 5.8): part of the suite of backup stores. */
export function adoptionConformance(makeHarness: () => Promise<BackupStoreHarness>): void {
  test('a store that was never adopted continues any generation; then that which it was, and no other', async () => {
    const harness = await makeHarness();
    const store = await harness.open();
    const life = await store.generationId();
    const adopt = async (current: string) => {
      const answer = await store.adopt(life, current);
      return answer.code === 'OK' ? answer.results : answer;
    };
    assert.deepEqual(await adopt('before'), [true]);
    assert.deepEqual(await adopt('before'), [true], 'repeated');
    assert.deepEqual(await adopt('another'), [false]);
    assert.deepEqual(await adopt('before'), [true], 'nothing is noted a second time');
    assert.deepEqual(await store.adopt('other', 'before'), { code: 'GENERATION', generationId: life });
    let rows = 0;
    for await (const _ of store.scan()) rows++;
    assert.deepEqual([rows, await store.highestEpoch()], [0, 0], 'it is no row');
    await store.close();
    await harness.close?.();
  });

  test('a store with something in it that was never adopted continues only what it is', async () => {
    for (const fill of ['row', 'marker']) {
      const harness = await makeHarness();
      const store = await harness.open();
      const life = await store.generationId();
      if (fill === 'row') await store.backup(life, [row]);
      else await store.mark(life, [{ bucket: 3, partition, offset: 4 }]);
      assert.deepEqual(await store.adopt(life, 'before'), { code: 'OK', results: [false] }, fill);
      assert.deepEqual(await store.adopt(life, life), { code: 'OK', results: [true] });
      await store.close();
      await harness.close?.();
    }
  });
}
