import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LeaseTable } from './lease-table.ts';
import { LeaseTableReader } from './table-reader.ts';

/** Runs `look` after each atomic store of `write`, as another thread may look that runs just then. */
function atEachStore(write: () => void, look: () => void): void {
  const { store } = Atomics;
  const atomics = Atomics as unknown as { store: unknown };
  atomics.store = (words: Int32Array, at: number, value: number): number => {
    const stored = store(words, at, value);
    look();
    return stored;
  };
  try {
    write();
  } finally {
    atomics.store = store;
  }
}

const addresses = ['a:1', 'b:2'];
const opened = { kind: 'sessionOpened', uuid: 'u', counter: 1, shards: 1, addresses, version: '' } as const;
const units = Uint32Array.of(1, 1, 2, 2);

function scene() {
  const table = new LeaseTable();
  table.replay({ kind: 'epochBase', base: 0 }, 1);
  table.replay({ ...opened, nodeId: 'n1' as never }, 2);
  table.replay({ kind: 'granted', session: 2 as never, shard: 0 as never, units }, 3);
  table.publishIndex(3);
  return { table, reader: new LeaseTableReader(table.buffer) };
}

it('whoever sees the index of a generation sees its number', () => {
  const { table, reader } = scene();
  let looks = 0;
  for (const [number, index] of [
    [1, 4],
    [2, 5],
  ] as const) {
    const record = { kind: 'generationChanged', storeGeneration: `life ${number}`, number, continues: true } as const;
    atEachStore(
      () => table.replay(record, index),
      () => {
        looks++;
        if (reader.generationIndex() === index) assert.equal(reader.generation(), number);
      },
    );
  }
  assert.ok(looks >= 8);
});

it('whoever finds a unit free of a lease that ended unclean knows of that end, and of its index', () => {
  for (const end of [
    { kind: 'sessionEnded', session: 2 as never, reason: 'expired' },
    { kind: 'forceReleased', hi: 1, lo: 1, epoch: 3 as never },
  ] as const) {
    const { table, reader } = scene();
    let looks = 0;
    atEachStore(
      () => table.replay(end, 4),
      () => {
        looks++;
        const isFree = !reader.lookup(1, 1);
        if (isFree) assert.equal(reader.uncleanCount(), 1);
        if (reader.uncleanCount() === 1) assert.equal(reader.uncleanIndex(), 4);
        if (reader.forcedCount() === 1) assert.ok(isFree);
        assert.equal(reader.tableIndex(), 3);
      },
    );
    assert.ok(looks > 2);
  }
});
