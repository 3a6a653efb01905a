import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, SeededRng } from '@holdfast/model';
import fc from 'fast-check';
import { LeaseTable } from './lease-table.ts';
import { randomRecord, randomUnit } from './random-records.test.ts';
import { decodeRecords, encodeRecords } from './record-codec.ts';
import type { LeaseRecord } from './records.ts';
import { SlowTwin, viewOf } from './slow-twin.test.ts';
import { LeaseTableReader } from './table-reader.ts';

/** A base beyond 32 bits, so that both halves of every number are in use. */
const base = 3 * 2 ** 40 + 17;

function checkReader(reader: LeaseTableReader, twin: SlowTwin, index: number, seed: number): void {
  const rng = new SeededRng(seed);
  assert.equal(reader.superseded, false);
  assert.equal(reader.tableIndex(), index);
  assert.equal(reader.uncleanCount(), twin.unclean);
  assert.equal(reader.uncleanIndex(), twin.uncleanIndex);
  assert.equal(reader.forcedCount(), twin.forced);
  assert.equal(reader.generation(), twin.generation);
  assert.equal(reader.generationIndex(), twin.generationIndex);
  for (let session = 1; session <= index; session += 1 + (index >> 5)) {
    assert.equal(reader.isLive(session as never), twin.sessions.has(session));
  }
  for (let i = 0; i < 60; i++) {
    const [hi, lo] = randomUnit(rng, 200);
    const lease = twin.units.get(`${hi}:${lo}`);
    assert.equal(reader.lookup(hi, lo), lease !== undefined, `${hi}:${lo}`);
    if (lease) assert.deepEqual({ session: reader.session, shard: reader.shard, epoch: reader.epoch }, lease);
    assert.equal(reader.lookup(hi | 0, lo | 0), lease !== undefined, 'signed halves');
  }
}

describe('the table against its slow twin', () => {
  it('agrees in every outcome and state, through codec, growth, snapshots and installs', () => {
    const property = fc.property(fc.integer({ min: 0 }), fc.constantFrom(40, 200, 4000), (seed, distinct) => {
      const rng = new SeededRng(seed);
      const twin = new SlowTwin();
      const table = new LeaseTable();
      const reader = new LeaseTableReader(table.buffer);
      const behind = new LeaseTable();
      table.onBuffer((buffer) => reader.attach(buffer));
      let first = true;
      for (let index = 1; index <= 120; index++) {
        const records: LeaseRecord[] = first ? [{ kind: 'epochBase', base: seed % 3 === 0 ? 0 : base }] : [];
        first = false;
        const count = randomBelow(rng, 3);
        for (let i = 0; i < count; i++) records.push(randomRecord(rng, twin, distinct));
        for (const record of decodeRecords(encodeRecords(records))) {
          const expected = twin.replay(record, index);
          const outcome = table.replay(record, index);
          const { unitsChanged, unitsVoided, ended, partitions } = outcome;
          assert.deepEqual([unitsChanged, unitsVoided, ended.length, partitions.length], expected, record.kind);
        }
        table.publishIndex(index);
        if (index % 10 === 0) assert.deepEqual(viewOf(table), twin.view());
        checkReader(reader, twin, index, seed + index);
        if (randomBelow(rng, 30) === 0) {
          const bytes = table.encodeSnapshot();
          assert.deepEqual(viewOf(LeaseTable.restore(bytes)), twin.view());
          behind.install(bytes);
          assert.deepEqual(viewOf(behind), twin.view());
          assert.equal(behind.tableIndex, index);
          if (randomBelow(rng, 2) === 0) assert.equal(table.install(bytes).isVoid, false);
          checkReader(reader, twin, index, seed + index);
        }
      }
      assert.deepEqual(viewOf(table), twin.view());
    });
    fc.assert(property, { numRuns: 40 });
  });
});

const opened = (node: string, counter = 1, shards = 2): LeaseRecord => ({
  kind: 'sessionOpened',
  nodeId: node as never,
  uuid: `uuid-${node}`,
  counter,
  shards,
  addresses: [],
  version: '1',
});

function founded(...nodes: string[]): { table: LeaseTable; apply: (record: LeaseRecord) => number } {
  const table = new LeaseTable();
  let index = 0;
  const apply = (record: LeaseRecord) => {
    index++;
    table.replay(record, index);
    table.publishIndex(index);
    return index;
  };
  apply({ kind: 'epochBase', base: 1000 });
  for (const node of nodes) apply(opened(node));
  return { table, apply };
}

const grant = (session: number, shard: number, ...units: number[]): LeaseRecord => ({
  kind: 'granted',
  session: session as never,
  shard: shard as never,
  units: Uint32Array.from(units),
});

describe('leases', () => {
  it('have the epoch base + index, and end with their session, unclean', () => {
    const { table, apply } = founded('a', 'b');
    const index = apply(grant(2, 1, 7, 8));
    assert.deepEqual(table.get(7, 8), { session: 2, nodeId: 'a', shard: 1, epoch: 1000 + index });
    const end = apply({ kind: 'sessionEnded', session: 2 as never, reason: 'expired' });
    assert.equal(table.get(7, 8), null);
    assert.deepEqual([table.uncleanCount, table.uncleanIndex, table.unitCount], [1, end, 0]);
    apply(grant(3, 0, 7, 8));
    assert.equal(table.get(7, 8)?.session, 3);
    apply({ kind: 'sessionEnded', session: 3 as never, reason: 'clean' });
    assert.equal(table.uncleanCount, 1);
  });

  it('of one node are superseded by its next incarnation in one step, and never by an older one', () => {
    const { table, apply } = founded('a');
    apply(grant(2, 0, 1, 1));
    const next = apply(opened('a', 5));
    assert.deepEqual(
      [...table.sessions()].map((s) => s.session),
      [next],
    );
    assert.deepEqual([table.uncleanCount, table.get(1, 1)], [1, null]);
    apply(opened('a', 5));
    apply(opened('a', 4));
    apply({ ...opened('a', 9), uuid: 'another' } as LeaseRecord);
    assert.deepEqual(
      [...table.sessions()].map((s) => s.session),
      [next],
    );
  });

  it('never share an epoch: after an end, an entry that has granted grants nothing more', () => {
    const { table } = founded('a', 'b');
    table.replay(grant(2, 0, 1, 1), 10);
    table.replay({ kind: 'sessionEnded', session: 2 as never, reason: 'gone' }, 10);
    assert.equal(table.replay(grant(3, 0, 1, 1), 10).unitsVoided, 1);
    assert.equal(table.replay(grant(3, 0, 1, 1), 11).unitsChanged, 1);
  });

  it('are not given to a closing session', () => {
    const { table, apply } = founded('a', 'b');
    apply(grant(2, 0, 1, 1));
    apply({ kind: 'sessionClosing', session: 3 as never });
    apply(grant(3, 0, 2, 2));
    apply({
      kind: 'moved',
      units: Uint32Array.of(1, 1),
      fromEpochs: Float64Array.of(1004),
      toSession: 3 as never,
      toShard: 0 as never,
    });
    assert.equal(table.get(2, 2), null);
    assert.equal(table.get(1, 1)?.session, 2);
  });
});

describe('the buffer', () => {
  it('is superseded when it grows; the old one stands still at its index', () => {
    const { table, apply } = founded('a');
    const old = new LeaseTableReader(table.buffer);
    const before = apply(grant(2, 0, 5, 5));
    const many = Array.from({ length: 6000 }, (_, i) => [Math.imul(i, 0x9e37_79b9) >>> 0, i]).flat();
    apply(grant(2, 1, ...many));
    assert.equal(old.superseded, true);
    assert.equal(old.tableIndex(), before);
    assert.equal(old.lookup(5, 5), true);
    old.attach(table.buffer);
    assert.equal(old.superseded, false);
    assert.equal(old.tableIndex(), before + 1);
    assert.equal(table.unitCount, 6001);
  });

  it('shrinks when most is released, and stays small under churn', () => {
    const { table, apply } = founded('a');
    const units = Uint32Array.from({ length: 8000 }, (_, i) => Math.imul(i, 0x9e37_79b9));
    for (let round = 0; round < 40; round++) {
      const index = apply({ kind: 'granted', session: 2 as never, shard: 0 as never, units });
      apply({ kind: 'released', units, epochs: new Float64Array(4000).fill(1000 + index) });
    }
    assert.equal(table.unitCount, 0);
    assert.ok(table.buffer.byteLength < 8000 * 40, `${table.buffer.byteLength} bytes`);
  });

  it('holds a unit in at most 40 bytes', () => {
    const { table, apply } = founded('a');
    const rng = new SeededRng(1);
    for (let i = 0; i < 100; i++) {
      apply({
        kind: 'granted',
        session: 2 as never,
        shard: 0 as never,
        units: Uint32Array.from({ length: 2000 }, () => rng.u32()),
      });
      if (i >= 10)
        assert.ok(table.buffer.byteLength / table.unitCount <= 40, `${table.buffer.byteLength / table.unitCount}`);
    }
  });

  it('outlives more sessions than it has holder numbers', () => {
    const { table, apply } = founded('a');
    apply(opened('keeper'));
    apply(grant(3, 1, 9, 9));
    for (let i = 2; i < 300; i++) apply(opened('a', i, 3));
    assert.equal(table.get(9, 9)?.nodeId, 'keeper');
    assert.equal([...table.sessions()].length, 2);
  });
});

describe('a snapshot', () => {
  it('made in slices is of the moment it was captured, however the table changes meanwhile', () => {
    const { table, apply } = founded('a', 'b');
    const rng = new SeededRng(4);
    const some = () => Array.from({ length: 200 }, () => rng.u32());
    for (let i = 0; i < 20; i++) apply(grant(2 + (i & 1), i & 1, ...some()));
    const view = viewOf(table);
    const source = table.captureSnapshot();
    const whole = table.encodeSnapshot();
    let slices = 0;
    let made: Uint8Array | null = null;
    for (; made === null; made = source.next(97)) {
      slices++;
      apply({ kind: 'sessionEnded', session: 2 as never, reason: 'expired' });
      apply(grant(3, 1, ...some()));
    }
    assert.ok(slices > 15, `${slices} slices`);
    assert.deepEqual(Buffer.from(made), Buffer.from(whole));
    assert.deepEqual(viewOf(LeaseTable.restore(made)), view);
  });

  it('installed in slices is seen only when it is whole', () => {
    const { table, apply } = founded('a', 'b');
    const behind = LeaseTable.restore(table.encodeSnapshot());
    const before = viewOf(behind);
    const reader = new LeaseTableReader(behind.buffer);
    behind.onBuffer((buffer) => reader.attach(buffer));
    const rng = new SeededRng(5);
    for (let i = 0; i < 10; i++) apply(grant(2 + (i & 1), i & 1, ...Array.from({ length: 200 }, () => rng.u32())));
    const install = behind.beginInstall(table.encodeSnapshot());
    let outcome = install.next(64);
    for (; outcome === null; outcome = install.next(64)) {
      assert.deepEqual(viewOf(behind), before);
      assert.equal(reader.superseded, false);
    }
    assert.deepEqual(viewOf(behind), viewOf(table));
    assert.equal(reader.tableIndex(), table.tableIndex);
  });

  it('installed into a table that lags tells what changed', () => {
    const { table, apply } = founded('a', 'b');
    const behind = LeaseTable.restore(table.encodeSnapshot());
    const shard = new LeaseTableReader(behind.buffer);
    apply({ kind: 'sessionEnded', session: 2 as never, reason: 'expired' });
    const session = apply(opened('c'));
    apply({ kind: 'topicSet', topic: 'in', topicId: 'id' as never, partitions: 2 });
    apply({
      kind: 'partitionGranted',
      topicId: 'id' as never,
      partition: 1,
      session: session as never,
      shard: 1 as never,
      fromEpoch: 0 as never,
    });
    const outcome = behind.install(table.encodeSnapshot());
    assert.deepEqual(
      outcome.opened.map((s) => s.nodeId),
      ['c'],
    );
    assert.deepEqual(
      outcome.ended.map((s) => s.session),
      [2],
    );
    assert.equal(outcome.unclean, true);
    assert.deepEqual(
      outcome.partitions.map((p) => [p.partition, p.to?.session]),
      [[1, session]],
    );
    assert.deepEqual(
      outcome.topics.map((t) => t.topic),
      ['in'],
    );
    assert.equal(shard.superseded, true);
    shard.attach(behind.buffer);
    assert.equal(shard.tableIndex(), table.tableIndex);
    assert.equal(shard.uncleanCount(), 1);
  });

  it('that is damaged is refused with a format error, or is at least a table', () => {
    const { table, apply } = founded('a', 'b');
    apply(grant(2, 0, 1, 2, 3, 4));
    const good = table.encodeSnapshot();
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bad = cut ? good.slice(0, at) : good.slice();
        if (!cut) bad[at] = value;
        try {
          viewOf(LeaseTable.restore(bad));
        } catch (error) {
          assert.match((error as Error).name, /ByteFormatError|InvariantError/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
