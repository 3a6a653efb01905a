import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { defaultLeaseOptions } from './options.ts';

/* What must not take longer the more keys there are, by what it touches instead of by the clock. */

const shards = 4;

function tableOf(units: number): LeaseTable {
  const table = new LeaseTable();
  table.replay({ kind: 'epochBase', base: 100 }, 1);
  const incarnation = { uuid: 'u', counter: 1, shards, addresses: [], version: '1' };
  for (let i = 2; i <= 4; i++) table.replay({ kind: 'sessionOpened', nodeId: `n${i}` as never, ...incarnation }, i);
  table.publishIndex(4);
  const rng = new SeededRng(1);
  for (let from = 0; from < units; from += 1_000) {
    const index = table.tableIndex + 1;
    const pairs = Uint32Array.from({ length: 2_000 }, () => rng.u32());
    table.replay({ kind: 'granted', session: (2 + (index % 3)) as never, shard: 0 as never, units: pairs }, index);
    table.publishIndex(index);
  }
  return table;
}

/** The same table; counts what is asked of it. */
function counted(table: LeaseTable): { table: LeaseTable; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const proxy = new Proxy(table, {
    get(target, name) {
      asked.set(String(name), (asked.get(String(name)) ?? 0) + 1);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { table: proxy, asked };
}

describe('however many keys there are', () => {
  it('a new leader asks the same of its table', () => {
    const asked = [3_000, 150_000].map((units) => {
      const { table, asked } = counted(tableOf(units));
      const coordinator = new LeaseCoordinator(table, defaultLeaseOptions, 0);
      for (let nowMs = 0; nowMs < 1_000; nowMs += 100) {
        coordinator.tick(nowMs, { tickLateMs: 0, quorumConfirmedAtMs: nowMs, balancingPaused: false });
      }
      return Object.fromEntries(asked);
    });
    assert.deepEqual(asked[0], asked[1]);
    assert.equal(asked[0]!.visitUnits, undefined);
    assert.equal(asked[0]!.reader, undefined);
  });

  it('the end of a session writes a word per shard, and a few of the header', () => {
    const changed = [3_000, 150_000].map((units) => {
      const table = tableOf(units);
      const words = new Int32Array(table.buffer);
      const before = words.slice();
      const index = table.tableIndex + 1;
      const outcome = table.replay({ kind: 'sessionEnded', session: 3 as never, reason: 'expired' }, index);
      table.publishIndex(index);
      assert.ok(outcome.ended[0]!.units >= units / 4);
      assert.equal(table.buffer, words.buffer, 'no rebuild comes of it');
      return words.reduce((count, word, i) => count + (word === before[i] ? 0 : 1), 0);
    });
    assert.equal(changed[0], changed[1]);
    assert.ok(changed[0]! <= shards + 4, `${changed[0]} words`);
  });
});
