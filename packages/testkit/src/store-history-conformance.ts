import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { BackupStore, ClaimResult, Mark, StoreAnswer } from '@holdfast/engine';
import { bucketCount, bucketOf, type PartitionId, partitionKey } from '@holdfast/model';
import fc from 'fast-check';
import type { BackupStoreHarness } from './backup-store-conformance.ts';
import { type HistoryStep, historyPartitions, historyUnits, storeHistories } from './store-histories.ts';
import { type Asked, StoreModel } from './store-model.ts';

/** Random histories of calls and losses, answered as `StoreModel` does: part of the suite of backup stores. */
export function storeHistoryConformance(makeHarness: () => Promise<BackupStoreHarness>, histories: number): void {
  test('any history: the same answers as the model', async () => {
    await fc.assert(
      fc.asyncProperty(storeHistories, async (history) => {
        const harness = await makeHarness();
        const store = await harness.open();
        const judged = new JudgedStore(harness, store, await store.generationId());
        try {
          for (const step of history) await judged.take(step);
          await judged.check();
        } finally {
          await judged.close();
          await harness.close?.();
        }
      }),
      { numRuns: histories },
    );
  });
}

/** A store, and the model beside it. */
class JudgedStore {
  readonly #harness: BackupStoreHarness;
  #store: BackupStore;
  #model: StoreModel;
  readonly #formerIds: string[] = [];
  /** A moment of this life, and how to lose all that came after it. */
  #remembered: { readonly asked: Asked; loseSince(): Promise<void> } | null = null;

  constructor(harness: BackupStoreHarness, store: BackupStore, generationId: string) {
    this.#harness = harness;
    this.#store = store;
    this.#model = new StoreModel(generationId);
  }

  async take(step: HistoryStep): Promise<void> {
    if ('former' in step) await this.#call(step);
    else if (step.kind === 'check') await this.check();
    else if (step.kind === 'lose') await this.#lose(() => this.#harness.lose());
    else if (step.kind === 'reopen') {
      await this.#store.close();
      this.#store = await this.#harness.open();
      assert.equal(await this.#store.generationId(), this.#model.generationId);
    } else if (step.kind === 'remember') {
      const loseSince = await this.#harness.remember?.();
      if (loseSince !== undefined) this.#remembered = { asked: this.#model.asked, loseSince };
    } else if (this.#remembered !== null) await this.#lose(this.#remembered.loseSince, this.#remembered.asked);
  }

  /** All that can be asked without changing anything. */
  async check(): Promise<void> {
    const { generationId } = this.#model;
    for (const unit of historyUnits) assert.deepEqual(await this.#store.read(unit), this.#model.read(unit));
    assert.equal(await this.#store.highestEpoch(), this.#model.highestEpoch());
    for (const partition of historyPartitions) await this.#checkLeastMarker(generationId, partition);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #lose(lose: () => Promise<void>, asked?: Asked): Promise<void> {
    await this.#store.close();
    await lose();
    this.#store = await this.#harness.open();
    this.#formerIds.push(this.#model.generationId);
    this.#model = new StoreModel(await this.#store.generationId(), asked);
    assert.ok(!this.#formerIds.includes(this.#model.generationId), 'a generation comes once');
    this.#remembered = null;
    await this.check();
  }

  async #checkLeastMarker(generationId: string, partition: PartitionId): Promise<void> {
    const found = await this.#store.leastMarker(generationId, partition);
    assert.deepEqual(found, this.#model.leastMarker(generationId, partition));
  }

  async #call(step: Extract<HistoryStep, { former: unknown }>): Promise<void> {
    const { generationId } = this.#model;
    const isFormer = step.former !== null && this.#formerIds.length > 0;
    const named = isFormer ? this.#formerIds[step.former % this.#formerIds.length]! : generationId;
    if (step.kind === 'claim') {
      const claims = step.claims.map(({ unit, epoch }) => ({ ...historyUnits[unit]!, epoch }));
      const found = await this.#store.claim(named, claims);
      assertClaimed(found, this.#model.claim(named, claims), this.#model.claim(named, claims));
    } else if (step.kind === 'backup') {
      const rows = step.rows.map(({ unit, ...rest }) => ({ ...historyUnits[unit]!, ...rest, savedUnixMs: rest.seq }));
      assert.deepEqual(await this.#store.backup(named, rows), this.#model.backup(named, rows));
    } else if (step.kind === 'leastMarker') await this.#checkLeastMarker(named, historyPartitions[step.partition]!);
    else {
      const marks = marksOf(step);
      assert.deepEqual(await this.#store.mark(named, marks), this.#model.mark(named, marks));
      if (step.kind === 'markAll') await this.#checkLeastMarker(named, historyPartitions[step.partition]!);
    }
    // What was refused has changed nothing.
    if (isFormer) await this.check();
  }
}

function marksOf(step: Extract<HistoryStep, { kind: 'mark' | 'markAll' }>): Mark[] {
  if (step.kind === 'mark') {
    return step.marks.map(({ unit, partition, offset }) => {
      const { hi, lo } = historyUnits[unit]!;
      return { bucket: bucketOf(hi, lo), partition: historyPartitions[partition]!, offset };
    });
  }
  const { partition, offset, but } = step;
  return Array.from({ length: bucketCount }, (_, bucket) => bucket)
    .filter((bucket) => bucket !== but)
    .map((bucket) => ({ bucket, partition: historyPartitions[partition]!, offset }));
}

/** A store may answer each claim of a call as in its turn, or as if it were repeated after the last of them. */
function assertClaimed(
  found: StoreAnswer<ClaimResult>,
  inTurn: StoreAnswer<ClaimResult>,
  repeated: StoreAnswer<ClaimResult>,
): void {
  if (found.code !== 'OK' || inTurn.code !== 'OK' || repeated.code !== 'OK') {
    assert.deepEqual(found, inTurn);
    return;
  }
  assert.equal(found.results.length, inTurn.results.length);
  for (const [i, result] of found.results.entries()) {
    const isOfTheEnd = isDeepStrictEqual(comparable(result), comparable(repeated.results[i]!));
    if (!isOfTheEnd) assert.deepEqual(comparable(result), comparable(inTurn.results[i]!));
  }
}

/** Markers are in no order, and one at 0 says as much as none. Adapters answer with bytes of any kind. */
function comparable(result: ClaimResult): unknown {
  if (result.code !== 'OK') return result;
  const markers = result.markers.map(({ partition, offset }) => [partitionKey(partition), offset] as const);
  const sorted = markers.filter(([, offset]) => offset > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return { code: result.code, row: result.row === null ? null : new Uint8Array(result.row), markers: sorted };
}
