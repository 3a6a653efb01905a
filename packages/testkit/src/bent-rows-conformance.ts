import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupStore, Claim, RowWrite, StoreAnswer } from '@holdfast/engine';
import { bucketOf, topicId, type Unit } from '@holdfast/model';
import type { BackupStoreHarness } from './backup-store-conformance.ts';

const partition = { topicId: topicId('t1'), partition: 0 };
/** Two share a bucket. */
const [sound, bent, other] = [
  { hi: 1, lo: 5 },
  { hi: 2, lo: 5 },
  { hi: 3, lo: 9 },
] as const;
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

function rowOf({ hi, lo }: Unit, epoch: number, seq: number, text: string): RowWrite {
  return { hi, lo, epoch, seq, row: bytesOf(text), savedUnixMs: 1_000 };
}

function resultsOf<T>(answer: StoreAnswer<T>): readonly T[] {
  assert.ok(answer.code === 'OK');
  return answer.results;
}

/** Gives a store with rows of three units under epoch 5, and a marker of their bucket, and closes it whatever comes of it. */
async function within(
  makeHarness: () => Promise<BackupStoreHarness>,
  look: (scene: Awaited<ReturnType<typeof begin>>) => Promise<void>,
): Promise<void> {
  const harness = await makeHarness();
  const store = await harness.open();
  try {
    await look(await begin(harness, store));
  } finally {
    await store.close();
    await harness.close?.();
  }
}

async function begin(harness: BackupStoreHarness, store: BackupStore) {
  const life = await store.generationId();
  await store.backup(
    life,
    [sound, bent, other].map((unit) => rowOf(unit, 5, 1, 'stored')),
  );
  await store.mark(life, [{ bucket: bucketOf(bent.hi, bent.lo), partition, offset: 4 }]);
  return {
    store,
    harness,
    claim: async (claims: readonly Claim[]) =>
      resultsOf(await store.claim(life, claims)).map((result) => {
        if (result.code === 'OK') return Buffer.from(result.row ?? []).toString();
        if (result.code === 'FENCED') return result.epoch;
        assert.match(result.problem, /the stored row of unit/);
        assert.deepEqual(result.markers, [{ partition, offset: 4 }], 'its markers are another matter');
        return result.code;
      }),
    backup: async (rows: readonly RowWrite[]) =>
      resultsOf(await store.backup(life, rows)).map((result) => {
        if (result.code === 'CORRUPT') assert.match(result.problem, /the stored row of unit/);
        return result.code;
      }),
  };
}

const atEpoch = (epoch: number) => [sound, bent, other].map((unit) => ({ ...unit, epoch }));

/** What a store does with rows that can't be read (PROTOCOL.md 5.2): part of the suite of backup stores. */
export function bentRowsConformance(makeHarness: () => Promise<BackupStoreHarness>): void {
  test('a stored value that can not be read: its unit is told so, the others of a call are carried out, and it stays', () =>
    within(makeHarness, async ({ store, harness, claim, backup }) => {
      await harness.bend(bent, 'all');
      assert.deepEqual(await claim(atEpoch(7)), ['stored', 'CORRUPT', 'stored']);
      assert.deepEqual(
        await backup([rowOf(other, 7, 1, 'next'), rowOf(bent, 7, 1, 'next'), rowOf(sound, 7, 1, 'next')]),
        ['OK', 'CORRUPT', 'OK'],
      );
      assert.deepEqual(await claim(atEpoch(8)), ['next', 'CORRUPT', 'next'], 'as it was');
      await assert.rejects(store.read(bent));
      assert.equal((await store.read(sound))!.epoch, 8);
    }));

  test('a row that can not be read under an epoch and seq that can: the fence holds, and the next row takes its place', () =>
    within(makeHarness, async ({ store, harness, claim, backup }) => {
      await harness.bend(bent, 'row');
      assert.deepEqual(await claim(atEpoch(5)), [5, 5, 5], 'after rows of that epoch');
      assert.deepEqual(await claim(atEpoch(7)), ['stored', 'CORRUPT', 'stored']);
      assert.deepEqual(await claim(atEpoch(7)), ['stored', 'CORRUPT', 'stored'], 'repeated');
      assert.deepEqual(await claim(atEpoch(6)), [7, 7, 7]);
      assert.deepEqual(await backup([rowOf(bent, 6, 9, 'late')]), ['FENCED']);
      assert.deepEqual(await backup([rowOf(bent, 7, 1, 'next')]), ['OK']);
      assert.deepEqual((await store.read(bent))!.row, bytesOf('next'));
    }));

  test('the highest epoch is known without the rows, but not without the epoch of each', () =>
    within(makeHarness, async ({ store, harness, claim }) => {
      await claim([{ ...bent, epoch: 7 }]);
      await harness.bend(bent, 'row');
      assert.equal(await store.highestEpoch(), 7);
      await harness.bend(other, 'all');
      await assert.rejects(store.highestEpoch());
    }));
}
