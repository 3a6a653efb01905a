import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ByteFormatError, ByteReader, ByteWriter, type NodeId } from '@holdfast/model';
import type { CrashNote } from './commands.ts';
import { LeaseCoordinator } from './coordinator.ts';
import { crashOf, frameOf, topic } from './crash-records.test.ts';
import { LeaseTable } from './lease-table.ts';
import { crashesKeptMax, crashesPerReportMax, quarantinedUnitsMax, releasedUnitsMax } from './limits.ts';
import { compileLeaseOptions } from './options.ts';
import { PartitionEnds } from './partition-ends.ts';
import type { LeaseRecord, PartitionEnd, ProcessCrash } from './records.ts';
import { LeaseTableReader } from './table-reader.ts';

const offsetOf = (crash: ProcessCrash) => (crash.kind === 'unitCrashed' ? crash.offset : crash.first);

/** A table with three nodes, and what is replayed on it. */
class Scene {
  readonly table = new LeaseTable();
  index = 0;

  constructor() {
    this.replay({ kind: 'epochBase', base: 0 });
    for (const node of [1, 2, 3]) {
      const addresses = ['a:1', 'b:2'];
      const nodeId = `n${node}` as NodeId;
      this.replay({ kind: 'sessionOpened', nodeId, uuid: `u${node}`, counter: 1, shards: 1, addresses, version: '1' });
    }
  }

  replay(record: LeaseRecord) {
    const outcome = this.table.replay(record, ++this.index);
    this.table.publishIndex(this.index);
    return outcome;
  }

  /** What the leader makes of it, replayed. */
  decide(command: Parameters<LeaseCoordinator['decide']>[0]): string {
    const decision = new LeaseCoordinator(this.table, compileLeaseOptions(), 0).decide(command, 0);
    if (!decision.ok) return decision.refusal.code;
    for (const record of decision.records) this.replay(record);
    return decision.records.map(({ kind }) => kind).join();
  }

  /** What one node tells, and what follows. */
  report(...crashes: readonly ProcessCrash[]): string {
    const { nodeId } = crashes[0]!;
    const notes = crashes.map(
      ({ nodeId: _, ...crash }): CrashNote =>
        crash.kind === 'unitCrashed' ? { ...crash, kind: 'record' } : { ...crash, kind: 'frame' },
    );
    return `${this.decide({ kind: 'reportCrashes', nodeId, crashes: notes })} ${this.decide({ kind: 'quarantineDue' })}`;
  }

  crash(node: number, offset: number, counter = 1): string {
    return this.report(crashOf(node, offset, { counter }));
  }
}

test('the leader notes crashes, quarantines when they are enough, and an operator releases', () => {
  const scene = new Scene();
  const reader = new LeaseTableReader(scene.table.buffer);
  assert.equal(scene.crash(1, 7), 'unitCrashed ');
  assert.equal(scene.crash(1, 7), 'unitCrashed ', 'the same crash told again');
  assert.equal(scene.table.quarantine.crashes.length, 1);
  assert.deepEqual([scene.table.quarantineIndex, reader.quarantineIndex()], [0, 0]);
  scene.replay(crashOf(1, 9));
  scene.replay(crashOf(3, 9));
  assert.equal(scene.crash(2, 7), 'unitCrashed ', 'another record was there as often');
  assert.equal(scene.crash(2, 7, 2), 'unitCrashed unitQuarantined');
  assert.ok(scene.table.quarantine.isQuarantined(7, 1));
  const left = scene.table.quarantine.crashes.map((crash) => `${crash.nodeId}@${offsetOf(crash)}`);
  assert.deepEqual([left, reader.quarantineIndex()], [['n3@9'], scene.index], 'without what it explains');
  const late = [crashOf(3, 7), crashOf(3, 8), frameOf(3, 0, 5)];
  assert.equal(scene.report(...late), ' ', 'known, with all that was under way when it ended this process');
  assert.equal(scene.table.quarantine.crashes.length, 1);
  const before = [{ topicId: topic, partition: 0, offset: 100 }];
  assert.equal(scene.decide({ kind: 'liftQuarantine', hi: 7, lo: 1, before }), 'quarantineLifted');
  assert.deepEqual(scene.table.quarantine.units, [{ hi: 7, lo: 1, before: PartitionEnds.of(before) }]);
  assert.deepEqual([scene.table.quarantine.quarantinedCount, reader.quarantineIndex()], [0, scene.index]);
  assert.equal(scene.decide({ kind: 'liftQuarantine', hi: 7, lo: 1, before }), 'NOT_QUARANTINED');
  assert.equal(scene.crash(1, 8), 'unitCrashed ', 'what was seen before its release counts no more');
  scene.crash(3, 7, 2);
  assert.equal(scene.crash(1, 7, 2), 'unitCrashed unitQuarantined', 'but what is seen after it does');
});

test('reports that can not be meant are refused', () => {
  const scene = new Scene();
  const report = (crashes: readonly object[]) =>
    scene.decide({ kind: 'reportCrashes', nodeId: 'n1' as NodeId, crashes: crashes as never });
  const { kind: _, nodeId: __, ...crash } = crashOf(1, 7);
  assert.equal(report([{ ...crash, offset: -1 }]), 'INVALID_COMMAND');
  assert.equal(report([{ ...crash, hi: 0.5 }]), 'INVALID_COMMAND');
  assert.equal(report([{ ...crash, topicId: null }]), 'INVALID_COMMAND');
  const { nodeId: ___, ...frame } = frameOf(1, 2, 3);
  for (const bent of [null, 7, { ...crash, hi: 2 ** 32 }, { ...crash, topicId: 't'.repeat(256) }])
    assert.equal(report([bent as never]), 'INVALID_COMMAND');
  for (const bent of [{ first: -1 }, { last: 'x' }, { partition: 0.5 }, { first: 4 }])
    assert.equal(report([{ ...frame, kind: 'frame', ...bent }]), 'INVALID_COMMAND');
  assert.equal(report(Array.from({ length: crashesPerReportMax + 1 }, () => crash)), 'INVALID_COMMAND');
});

test('a faulty unit is quarantined and taken away in one entry, by its own holder only', () => {
  const scene = new Scene();
  const [session, other] = [2, 3] as never[];
  scene.replay({ kind: 'granted', session: session!, shard: 0 as never, units: Uint32Array.of(7, 1, 8, 1) });
  const epoch = scene.index;
  const end = (of: never, units: number[], epochs: number[]) =>
    scene.decide({
      kind: 'endFaulty',
      session: of,
      units: Uint32Array.from(units),
      epochs: Float64Array.from(epochs),
    });
  assert.equal(end(other!, [7, 1], [epoch]), '', "another session's");
  assert.equal(end(session!, [7, 1], [epoch - 1]), '', 'another lease');
  const { uncleanCount } = scene.table;
  assert.equal(end(session!, [7, 1], [epoch]), 'unitQuarantined,forceReleased');
  assert.equal(scene.table.get(7, 1), null);
  assert.ok(scene.table.quarantine.isQuarantined(7, 1));
  assert.equal(scene.table.uncleanCount, uncleanCount + 1);
  assert.equal(end(session!, [7, 1], [epoch]), '', 'it is over');
  scene.replay({ kind: 'unitQuarantined', hi: 8, lo: 1 });
  assert.equal(end(session!, [8, 1], [epoch]), 'unitQuarantined,forceReleased', 'and if its release is on the way');
  assert.equal(end(session!, [7], [epoch]), 'INVALID_COMMAND');
});

test('a job that makes everything faulty loses no lease once the quarantine is full', () => {
  const scene = new Scene();
  for (let n = 0; n < quarantinedUnitsMax - 1; n++) scene.replay({ kind: 'unitQuarantined', hi: n, lo: 3 });
  const units = Uint32Array.of(7, 1, 8, 1);
  scene.replay({ kind: 'granted', session: 2 as never, shard: 0 as never, units });
  const epochs = Float64Array.of(scene.index, scene.index);
  const end = () => scene.decide({ kind: 'endFaulty', session: 2 as never, units, epochs });
  assert.equal(end(), 'unitQuarantined,forceReleased');
  assert.equal(end(), 'QUARANTINE_FULL');
});

test('what is on its way into quarantine takes its room: no lease ends by force without', () => {
  const scene = new Scene();
  for (let n = 0; n < quarantinedUnitsMax - 1; n++) scene.replay({ kind: 'unitQuarantined', hi: n, lo: 3 });
  scene.replay({ kind: 'granted', session: 2 as never, shard: 0 as never, units: Uint32Array.of(7, 1, 8, 1) });
  const epochs = Float64Array.of(scene.index);
  const leader = new LeaseCoordinator(scene.table, compileLeaseOptions(), 0);
  const end = (hi: number) =>
    leader.decide({ kind: 'endFaulty', session: 2 as never, units: Uint32Array.of(hi, 1), epochs }, 0);
  const first = end(7);
  assert.ok(first.ok && first.records.length === 2);
  const second = end(8);
  assert.deepEqual(second.ok ? null : second.refusal.code, 'QUARANTINE_FULL', 'before the first is applied');
  const due = leader.decide({ kind: 'quarantineDue' }, 0);
  assert.deepEqual(due.ok && due.records, []);
  leader.onDropped(first.records);
  const again = end(8);
  assert.ok(again.ok && again.records.length === 2, 'the first will never be');
  for (const record of again.records) assert.equal(scene.replay(record).isVoid, false);
  assert.ok(scene.table.quarantine.isQuarantined(8, 1));
});

test('what was beside a quarantined record does not count either while its quarantine is on its way', () => {
  const scene = new Scene();
  scene.replay(crashOf(1, 7));
  scene.replay(crashOf(2, 7));
  const leader = new LeaseCoordinator(scene.table, compileLeaseOptions(), 0);
  const due = leader.decide({ kind: 'quarantineDue' }, 0);
  assert.ok(due.ok && due.records.length === 1);
  const { nodeId, kind: _, ...crash } = crashOf(3, 7);
  const notes = [7, 9].map((offset) => ({ ...crash, kind: 'record', offset, hi: offset }) as const);
  const report = leader.decide({ kind: 'reportCrashes', nodeId, crashes: notes }, 0);
  assert.deepEqual(report.ok && report.records, []);
});

test('where there is no room for all crashes, frames are the first that are forgotten', () => {
  const scene = new Scene();
  for (let n = 0; n < crashesKeptMax; n++) scene.replay(n % 4 === 0 ? crashOf(1, n) : frameOf(1, n, n + 5));
  for (let n = 0; n < crashesKeptMax; n++) scene.replay(frameOf(2, n, n + 5));
  const { crashes } = scene.table.quarantine;
  assert.equal(crashes.length, crashesKeptMax);
  assert.equal(crashes.filter(({ kind }) => kind === 'unitCrashed').length, crashesKeptMax / 4);
  assert.deepEqual([...new Set(crashes.slice(-100).map((crash) => crash.nodeId))], ['n2']);
});

test('crashes, quarantined and released units are bounded, and a snapshot has them all', () => {
  const scene = new Scene();
  for (let n = 0; n < crashesKeptMax + 10; n++) scene.replay(n >= 20 && n < 30 ? frameOf(1, n, n + 5) : crashOf(1, n));
  scene.replay(frameOf(2, 5, 9));
  scene.replay(crashOf(1, crashesKeptMax + 10));
  assert.deepEqual(scene.table.quarantine.crashes.length, crashesKeptMax);
  assert.equal(offsetOf(scene.table.quarantine.crashes.at(-1)!), crashesKeptMax + 10);
  scene.replay(frameOf(2, 5, 9));
  for (let n = 0; n < releasedUnitsMax + 5; n++) {
    scene.replay({ kind: 'unitQuarantined', hi: n, lo: 2 });
    scene.replay({ kind: 'quarantineLifted', hi: n, lo: 2, before: [] });
  }
  assert.deepEqual(scene.table.quarantine.units.map(({ hi }) => hi)[0], 5);
  for (let n = 0; n < quarantinedUnitsMax + 5; n++) scene.replay({ kind: 'unitQuarantined', hi: n, lo: 3 });
  assert.equal(scene.table.quarantine.quarantinedCount, quarantinedUnitsMax);
  assert.equal(scene.table.quarantine.isQuarantined(quarantinedUnitsMax, 3), false);
  const restored = LeaseTable.restore(scene.table.encodeSnapshot());
  for (const part of ['crashes', 'units', 'quarantinedCount'] as const)
    assert.deepEqual(restored.quarantine[part], scene.table.quarantine[part]);
  assert.equal(restored.reader.quarantineIndex(), scene.table.quarantineIndex);
  assert.deepEqual(restored.encodeSnapshot(), scene.table.encodeSnapshot());
});

test('units that were released at the same ends share them, also after a snapshot, which has them once', () => {
  const scene = new Scene();
  const ends = Array.from({ length: 1_000 }, (_, partition) => ({ topicId: topic, partition, offset: 5_000_000 }));
  const release = (hi: number, before: readonly PartitionEnd[]) => {
    scene.replay({ kind: 'unitQuarantined', hi, lo: 1 });
    scene.replay({ kind: 'quarantineLifted', hi, lo: 1, before });
  };
  release(1, ends);
  const { length } = scene.table.encodeSnapshot();
  release(2, [{ topicId: topic, partition: 7, offset: 8 }]);
  for (let hi = 3; hi < 100; hi++) release(hi, [...ends].reverse());
  const listsOf = ({ quarantine }: LeaseTable) => new Set(quarantine.units.map(({ before }) => before)).size;
  const bytes = scene.table.encodeSnapshot();
  assert.ok(bytes.length < length + 1_000, `${bytes.length} bytes of a hundred units, ${length} of one`);
  const restored = LeaseTable.restore(Buffer.from(bytes));
  assert.deepEqual([listsOf(scene.table), listsOf(restored)], [2, 2]);
  // Not by deepEqual: what it says of a hundred long lists takes a minute.
  assert.ok(isDeepStrictEqual(restored.quarantine.units, scene.table.quarantine.units));
  assert.ok(isDeepStrictEqual(restored.encodeSnapshot(), bytes));
  const { before } = restored.quarantine.units[0]!;
  assert.ok(before!.bytes.buffer.byteLength < 10_000, 'and none keeps the snapshot');
});

test('many lists of ends are written and read in slices, while the table goes on', () => {
  const scene = new Scene();
  const release = (hi: number) => {
    scene.replay({ kind: 'unitQuarantined', hi, lo: 1 });
    scene.replay({ kind: 'quarantineLifted', hi, lo: 1, before: [{ topicId: topic, partition: 0, offset: hi }] });
  };
  scene.replay({ kind: 'granted', session: 2 as never, shard: 0 as never, units: Uint32Array.of(7, 1) });
  for (let hi = 0; hi < 200; hi++) release(hi);
  const whole = scene.table.encodeSnapshot();
  const source = scene.table.captureSnapshot();
  let slices = 0;
  let bytes: Uint8Array | null = null;
  for (; bytes === null; slices++) {
    bytes = source.next();
    release(1_000 + slices);
  }
  assert.deepEqual(bytes, whole);
  const restored = new LeaseTable();
  const install = restored.beginInstall(bytes);
  let installs = 1;
  while (install.next() === null) installs++;
  assert.deepEqual([slices, installs], [5, 5], 'the units, and four times 64 lists at most');
  assert.deepEqual(restored.encodeSnapshot(), whole);
  for (const wrong of [whole.slice(0, -1), new Uint8Array([...whole, 0])])
    assert.throws(() => LeaseTable.restore(wrong), ByteFormatError);
});

test('a snapshot in which each released unit has ends of its own is read', () => {
  const { table } = new Scene();
  const input = new ByteReader(table.encodeSnapshot());
  input.u8();
  const former = new ByteWriter().raw(input.bytes().slice(0, -5)).varint(12).varint(0).varint(3);
  for (const hi of [7, 8]) {
    former.u32(hi).u32(1).u8(1).varint(2);
    former.text(topic).varint(3).varint(500).text(topic).varint(0).varint(90);
  }
  former.u32(9).u32(1).u8(0).varint(0);
  const restored = LeaseTable.restore(new ByteWriter().u8(4).bytes(former.finish()).finish());
  const before = PartitionEnds.of([
    { topicId: topic, partition: 0, offset: 90 },
    { topicId: topic, partition: 3, offset: 500 },
  ]);
  const [first, second, third] = restored.quarantine.units;
  assert.deepEqual(
    [first, second, third],
    [
      { hi: 7, lo: 1, before },
      { hi: 8, lo: 1, before },
      { hi: 9, lo: 1, before: null },
    ],
  );
  assert.equal(first!.before, second!.before, 'it is one from now on');
  assert.deepEqual([restored.quarantine.quarantinedCount, restored.quarantineIndex], [1, 12]);
});

test('a snapshot of before quarantine is read', () => {
  const { table } = new Scene();
  const input = new ByteReader(table.encodeSnapshot());
  input.u8();
  const head = input.bytes();
  // Without units, what is new are four zeros before the last one: no entry, no crashes, no ends, no units.
  assert.deepEqual([...head.slice(-5)], [0, 0, 0, 0, 0]);
  const former = new ByteWriter().u8(3).bytes(head.slice(0, -4)).finish();
  const restored = LeaseTable.restore(former);
  assert.deepEqual([restored.tableIndex, [...restored.nodes()].length], [table.tableIndex, 3]);
  assert.deepEqual([restored.quarantine.units, restored.quarantineIndex], [[], 0]);
});
