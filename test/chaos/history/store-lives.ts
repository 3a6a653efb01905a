import { decodeRecords } from '@holdfast/lease';
import { type LifeRow, StoreLife } from '@holdfast/testkit';
import type { History } from './read-history.ts';
import { orderOfStore, type StoreStep, type UnitOrders } from './store-order.ts';
import type { StoredUnit } from './unit-order.ts';

/** A life of the store as the log names it, from its beginning until it was given up, and what was done to it. */
export interface LivedStore {
  readonly life: StoreLife;
  readonly steps: readonly StoreStep[];
}

/** The store's generations in the order of the log; each is named once, however many nodes applied it. */
export function generationsOf({ events }: History): string[] {
  const entries = new Map<number, string>();
  for (const { event } of events) if (event.k === 'entry' && event.data !== '') entries.set(event.index, event.data);
  const generations: string[] = [];
  for (const [, data] of [...entries].sort(([a], [b]) => a - b)) {
    for (const record of decodeRecords(new Uint8Array(Buffer.from(data, 'base64')))) {
      if (record.kind !== 'generationChanged' || record.number !== generations.length + 1) continue;
      generations.push(record.storeGeneration);
    }
  }
  return generations;
}

/**
 * All lives of the store. The first begins empty, and where every loss was one of everything, so do all. Else what takes
 * its place after a loss has what a replica or a file had, which nobody knows; but a row that nobody has touched since is the one that is found later on, and one that a claim has
 * found was there. Of a unit that a holder only wrote to, what was accepted last before the loss is taken for what is
 * there until then: a marker that has survived may vouch for it.
 */
export function livesOf(
  history: History,
  stored: ReadonlyMap<string, StoredUnit>,
  report: (text: string) => void,
  beginsEmpty = false,
): LivedStore[] {
  const generations = generationsOf(history);
  const last = generations.length - 1;
  const orders = generations.map((generation, i) =>
    orderOfStore(history, generation, i === 0 || beginsEmpty ? 'empty' : 'unknown', i === last ? stored : null, report),
  );
  const begun: ReadonlyMap<string, StoredUnit>[] = generations.map(() => new Map());
  for (let i = last; i > 0 && !beginsEmpty; i--) {
    const rows = beginningOf(orders[i]!, begun[i + 1] ?? stored);
    for (const [unit, { epoch }] of orders[i]!.written) {
      const before = lastBefore(orders, i, unit);
      if (before !== null) rows.set(unit, { ...before, epoch: epoch - 1, seq: 0 });
    }
    begun[i] = rows;
  }
  return generations.map((generation, i) => {
    return { life: new StoreLife(generation, lifeRows(begun[i]!)), steps: orders[i]!.steps };
  });
}

/** Rows at the beginning of a life: those that its first claims found, and of untouched units those found after it. */
function beginningOf({ touched, first }: UnitOrders, after: ReadonlyMap<string, StoredUnit>): Map<string, StoredUnit> {
  const begun = new Map<string, StoredUnit>();
  for (const [unit, row] of first) begun.set(unit, row);
  for (const [unit, row] of after) if (!touched.has(unit)) begun.set(unit, row);
  return begun;
}

function lastBefore(orders: readonly UnitOrders[], life: number, unit: string): StoredUnit | null {
  for (let i = life - 1; i >= 0; i--) {
    const row = orders[i]!.last.get(unit);
    if (row !== undefined) return row;
  }
  return null;
}

function lifeRows(begun: ReadonlyMap<string, StoredUnit>): Map<string, LifeRow> {
  return new Map(
    [...begun].map(([unit, { epoch, seq, row }]) => {
      const [hi, lo] = [Number.parseInt(unit.slice(0, 8), 16), Number.parseInt(unit.slice(8), 16)];
      return [unit, { hi, lo, epoch, seq, row: row === null ? null : new Uint8Array(Buffer.from(row, 'base64')) }];
    }),
  );
}
