import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { BackupStore, ClaimResult, Marker, RowResult, RowWrite, StoreAnswer, StoredRow } from '@holdfast/engine';
import { bucketCount, bucketOf, formatUnit, type PartitionId, partitionKey, topicId, type Unit } from '@holdfast/model';
import { adoptionConformance } from './adoption-conformance.ts';
import { bentRowsConformance } from './bent-rows-conformance.ts';
import type { BentPart } from './memory-backup-store.ts';
import { storeHistoryConformance } from './store-history-conformance.ts';

/** How the suite makes what it tests: a store of its own, empty. */
export interface BackupStoreHarness {
  /** Each is another process's view of the same store. */
  open(): Promise<BackupStore>;
  /** All is lost, and a store of another life is in its place. What was opened before is closed already. */
  lose(): Promise<void>;
  /**
   * Remembers what is in the store. What it returns does as `lose` does, but the store of another life has that in it, as a
   * replica that lagged. Absent where only another server could do this: a copy that is put back lives its old life.
   */
  remember?(): Promise<() => Promise<void>>;
  /** Changes what is stored of a unit, all of it or the row in it, so that this can't be read any more. */
  bend(unit: Unit, part: BentPart): Promise<void>;
  close?(): Promise<void>;
}

export interface BackupStoreConformanceOptions {
  /** Random histories to try; each has a harness of its own. */
  readonly histories?: number;
}

const partitions: readonly PartitionId[] = [
  { topicId: topicId('t1'), partition: 0 },
  { topicId: topicId('t1'), partition: 1 },
];
/**
 * Checks that what `BackupStore` promises is kept: PROTOCOL.md 5.1, 5.2, 5.7, 5.8, by examples, and in random histories
 * against `StoreModel`. Registers node:test tests.
 */
export function backupStoreConformance(
  name: string,
  makeHarness: () => Promise<BackupStoreHarness>,
  options: BackupStoreConformanceOptions = {},
): void {
  describe(`backup store: ${name}`, () => {
    const making = makeHarness();
    const opened: BackupStore[] = [];
    let unitCount = 0;
    const newUnit = (): Unit => ({ hi: ++unitCount, lo: unitCount * 7 });
    async function open(): Promise<{ store: BackupStore; life: string }> {
      const store = await (await making).open();
      opened.push(store);
      return { store, life: await store.generationId() };
    }
    after(async () => {
      for (const store of opened) await store.close();
      await (await making).close?.();
    });

    test('accepts a row that is greater, takes an equal one for a repeat, and refuses the rest', async () => {
      const { store, life } = await open();
      const unit = newUnit();
      const write = async (epoch: number, seq: number, text: string) =>
        (await backup(store, life, rowOf(unit, epoch, seq, text)))[0];
      const stored = async () => textOf((await store.read(unit))?.row ?? null);
      assert.equal(await store.read(unit), null);
      assert.deepEqual(await write(5, 1, 'a'), { code: 'OK' });
      assert.deepEqual(await write(5, 1, 'not written'), { code: 'OK' });
      assert.equal(await stored(), 'a');
      assert.deepEqual(await write(5, 3, 'b'), { code: 'OK' });
      assert.deepEqual(await write(5, 2, 'not written'), { code: 'STALE' });
      assert.deepEqual(await write(4, 9, 'not written'), { code: 'FENCED', epoch: 5 });
      assert.equal(await stored(), 'b');
      assert.deepEqual(await write(6, 0, 'c'), { code: 'OK' });
      assert.deepEqual(await store.read(unit), { ...unit, epoch: 6, seq: 0, row: bytesOf('c'), savedUnixMs: 1_000 });
    });

    test('a claim raises the epoch, returns the row, and shuts the old holder out', async () => {
      const { store, life } = await open();
      const unit = newUnit();
      const claim = async (epoch: number) => claims(await store.claim(life, [{ ...unit, epoch }]))[0];
      assert.deepEqual(await claim(3), { code: 'OK', row: null, markers: [] });
      assert.deepEqual(await claim(3), { code: 'OK', row: null, markers: [] });
      await backup(store, life, rowOf(unit, 3, 1, 'state'));
      assert.deepEqual(await claim(3), { code: 'FENCED', epoch: 3 }, 'a claim after its own backup is no repeat');
      assert.deepEqual(await claim(2), { code: 'FENCED', epoch: 3 });
      assert.deepEqual(await claim(8), { code: 'OK', row: bytesOf('state'), markers: [] });
      assert.deepEqual(await claim(8), { code: 'OK', row: bytesOf('state'), markers: [] });
      assert.deepEqual(await backup(store, life, rowOf(unit, 3, 2, 'late')), [{ code: 'FENCED', epoch: 8 }]);
      assert.deepEqual(await backup(store, life, rowOf(unit, 8, 1, 'next')), [{ code: 'OK' }]);
    });

    test('an empty row is a row; none is none', async () => {
      const { store, life } = await open();
      const unit = newUnit();
      await store.claim(life, [{ ...unit, epoch: 1 }]);
      assert.equal((await store.read(unit))?.row, null);
      await backup(store, life, rowOf(unit, 1, 1, ''));
      assert.deepEqual((await store.read(unit))?.row, new Uint8Array(0));
      assert.deepEqual(claims(await store.claim(life, [{ ...unit, epoch: 2 }]))[0], {
        code: 'OK',
        row: new Uint8Array(0),
        markers: [],
      });
    });

    test('what comes back is the caller’s own', async () => {
      const { store, life } = await open();
      const unit = newUnit();
      const written = rowOf(unit, 1, 1, 'mine');
      await backup(store, life, written);
      written.row.fill(0);
      (await store.read(unit))!.row!.fill(1);
      assert.equal(textOf((await store.read(unit))!.row), 'mine');
    });

    test('the same unit twice in one call: one after the other', async () => {
      const { store, life } = await open();
      const unit = newUnit();
      const results = await backup(store, life, rowOf(unit, 1, 1, 'a'), rowOf(unit, 1, 2, 'b'), rowOf(unit, 1, 1, 'c'));
      assert.deepEqual(results, [{ code: 'OK' }, { code: 'OK' }, { code: 'STALE' }]);
      assert.equal(textOf((await store.read(unit))!.row), 'b');
    });

    test('carries thousands of rows in a call, and large ones', async () => {
      const { store, life } = await open();
      const many = Array.from({ length: 3_000 }, (_, i) => rowOf(newUnit(), 1, 1, `row ${i}`));
      const large = { ...rowOf(newUnit(), 1, 1, ''), row: new Uint8Array(2 << 20).fill(7) };
      const results = await backup(store, life, ...many, large);
      assert.ok(results.every((r) => r.code === 'OK'));
      assert.deepEqual((await store.read(large))!.row, large.row);
      const answer = claims(
        await store.claim(
          life,
          many.map(({ hi, lo }) => ({ hi, lo, epoch: 2 })),
        ),
      );
      assert.deepEqual(
        answer.map((r) => r.code === 'OK' && textOf(r.row)),
        many.map((m) => textOf(m.row)),
      );
    });

    test('markers rise only, and a claim returns those of its bucket', async () => {
      const { store, life } = await open();
      const unit = { hi: 900, lo: 900 };
      const bucket = bucketOf(unit.hi, unit.lo);
      const [a, b] = partitions as [PartitionId, PartitionId];
      await store.mark(life, [
        { bucket, partition: a, offset: 10 },
        { bucket, partition: b, offset: 3 },
      ]);
      await store.mark(life, [
        { bucket, partition: a, offset: 7 },
        { bucket: (bucket + 1) % bucketCount, partition: b, offset: 9 },
      ]);
      const [result] = claims(await store.claim(life, [{ ...unit, epoch: 1 }]));
      assert.ok(result?.code === 'OK');
      assert.deepEqual(sorted(result.markers), [
        { partition: a, offset: 10 },
        { partition: b, offset: 3 },
      ]);
    });

    test('the least marker counts all buckets, and one that has none', async () => {
      const { store, life } = await open();
      const partition = { topicId: topicId('least'), partition: 4 };
      const least = async () => {
        const answer = await store.leastMarker(life, partition);
        return answer.code === 'OK' ? answer.results : answer;
      };
      assert.deepEqual(await least(), [0]);
      const marks = Array.from({ length: bucketCount }, (_, bucket) => ({ bucket, partition, offset: 100 + bucket }));
      await store.mark(life, marks.slice(0, -1));
      assert.deepEqual(await least(), [0]);
      await store.mark(life, marks.slice(-1));
      assert.deepEqual(await least(), [100]);
      await store.mark(life, [{ bucket: 0, partition, offset: 500 }]);
      assert.deepEqual(await least(), [101]);
    });

    test('scans every row, and knows the highest epoch', async () => {
      const harness = await makeHarness();
      const store = await harness.open();
      const life = await store.generationId();
      assert.match(life, /^[A-Za-z0-9-]{1,64}$/, 'logs keep it with each committed offset');
      assert.equal(await store.highestEpoch(), 0);
      const rows = Array.from({ length: 1_500 }, (_, i) => rowOf({ hi: i, lo: i * 31 }, (i * 7) % 1_000, 1, `${i}`));
      await backup(store, life, ...rows);
      await store.claim(life, [{ hi: 5_000, lo: 1, epoch: 2_000 }]);
      const found = new Map<string, StoredRow>();
      for await (const row of store.scan()) {
        assert.ok(!found.has(formatUnit(row.hi, row.lo)), 'no row twice');
        found.set(formatUnit(row.hi, row.lo), row);
      }
      assert.equal(found.size, 1_501);
      for (const { hi, lo, row } of rows) assert.deepEqual(found.get(formatUnit(hi, lo))?.row, row);
      assert.equal(await store.highestEpoch(), 2_000);
      await store.close();
      await harness.close?.();
    });

    test('another life refuses calls that name the old one, and does nothing', async () => {
      const harness = await makeHarness();
      const before = await harness.open();
      const oldLife = await before.generationId();
      const unit = newUnit();
      await backup(before, oldLife, rowOf(unit, 7, 1, 'gone'));
      await before.close();
      await harness.lose();
      const store = await harness.open();
      const life = await store.generationId();
      assert.notEqual(life, oldLife);
      const refused = { code: 'GENERATION', generationId: life };
      assert.deepEqual(await store.claim(oldLife, [{ ...unit, epoch: 9 }]), refused);
      assert.deepEqual(await store.backup(oldLife, [rowOf(unit, 9, 1, 'x')]), refused);
      assert.deepEqual(await store.mark(oldLife, [{ bucket: 1, partition: partitions[0]!, offset: 4 }]), refused);
      assert.deepEqual(await store.leastMarker(oldLife, partitions[0]!), refused);
      assert.equal(await store.read(unit), null);
      assert.equal(await store.highestEpoch(), 0);
      await store.close();
      await harness.close?.();
    });

    adoptionConformance(makeHarness);
    bentRowsConformance(makeHarness);

    test('holders racing for a unit: one order for all', async () => {
      const stores = await Promise.all([open(), open(), open()]);
      const unit = newUnit();
      const accepted: number[] = [];
      await Promise.all(
        stores.map(async ({ store, life }, who) => {
          for (let i = 0; i < 15; i++) {
            const epoch = 1 + i * stores.length + who;
            const [claim] = claims(await store.claim(life, [{ ...unit, epoch }]));
            if (claim?.code !== 'OK') continue;
            const [result] = await backup(store, life, rowOf(unit, epoch, 1, `${epoch}`));
            if (result?.code === 'OK') accepted.push(epoch);
          }
        }),
      );
      const last = await stores[0]!.store.read(unit);
      assert.ok(accepted.length > 0);
      assert.ok(last!.epoch >= Math.max(...accepted));
      // Rows are whole, and never older than one that was accepted before the last claim.
      assert.equal(textOf(last!.row), `${Math.max(...accepted)}`);
    });

    storeHistoryConformance(makeHarness, options.histories ?? 100);
  });
}

function sorted(markers: readonly Marker[]): Marker[] {
  return [...markers].sort((a, b) => (partitionKey(a.partition) < partitionKey(b.partition) ? -1 : 1));
}

function claims(answer: StoreAnswer<ClaimResult>): readonly ClaimResult[] {
  assert.ok(answer.code === 'OK');
  return answer.results.map((r) =>
    r.code === 'OK' ? { ...r, row: r.row === null ? null : new Uint8Array(r.row) } : r,
  );
}

async function backup(store: BackupStore, life: string, ...rows: RowWrite[]): Promise<readonly RowResult[]> {
  const answer = await store.backup(life, rows);
  assert.ok(answer.code === 'OK');
  return answer.results;
}

function rowOf(unit: Unit, epoch: number, seq: number, text: string): RowWrite {
  return { hi: unit.hi, lo: unit.lo, epoch, seq, row: bytesOf(text), savedUnixMs: 1_000 };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
