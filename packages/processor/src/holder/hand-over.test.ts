import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardRef } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import type { LeaseView } from '../lease-view.ts';
import { PartitionBook } from '../partition-book.ts';
import { Quarantine } from '../quarantine.ts';
import { ClosingUnits } from './closing-units.ts';
import { FaultyUnits } from './faulty-units.ts';
import { busyMovingMax } from './hand-over.ts';
import { HeldUnit } from './held-unit.ts';
import { MarkerBook } from './marker-book.ts';
import { OutputBuffer } from './output-buffer.ts';
import { Rounds } from './rounds.ts';
import { SealedUnits } from './sealed-units.ts';
import { UnitEnds } from './unit-ends.ts';
import { UnitStore } from './unit-store.ts';

const self: ShardRef = { session: 7 as never, shard: 0 as never };
const to: ShardRef = { session: 8 as never, shard: 0 as never };
const nowMs = 100_000;

/** A shard with so many open units, last used at these times. */
function setUp(lastUsedMs: readonly number[]) {
  const units = new UnitStore();
  for (const [n, usedMs] of lastUsedMs.entries()) {
    const unit = new HeldUnit(n, n, 1, usedMs);
    unit.phase = 'open';
    units.add(unit);
  }
  const leases = {
    ...self,
    epoch: 1,
    tableIndex: () => 10,
    isLive: () => true,
    visitSome(place: number, count: number, visit: (hi: number, lo: number) => void): number {
      const end = Math.min(place + count, lastUsedMs.length);
      for (let n = place; n < end; n++) visit(n, n);
      return end === lastUsedMs.length ? 0 : end;
    },
  } as unknown as LeaseView;
  const rounds = new Rounds(new MarkerBook(), new OutputBuffer());
  const limits = { releaseRetryMs: 100, moveAsksMax: 2 };
  const closing = new ClosingUnits(rounds, leases, limits);
  const faulty = new FaultyUnits(closing, new RecordCounters(), limits);
  const counters = new RecordCounters();
  const sealed = new SealedUnits({
    job: { name: 'job' },
    closing,
    faulty,
    counters,
    quarantine: new Quarantine(),
    partitions: new PartitionBook(),
  });
  const ends = new UnitEnds({ self, leases, units, closing, faulty, sealed, idleMs: Number.POSITIVE_INFINITY });
  const moving = () => [...units].filter(({ moveTo }) => moveTo !== null);
  return { ends, closing, moving };
}

test('idle units are handed over first and many at a time, busy ones few at a time', () => {
  const idle = Array.from({ length: 60 }, () => 0);
  const busy = Array.from({ length: 60 }, () => nowMs);
  const { ends, closing, moving } = setUp(idle.flatMap((ms, i) => [busy[i]!, ms]));
  ends.planHandOver([{ to, count: 120 }], nowMs);
  ends.handOverSome(nowMs, 128, 8_192);
  assert.equal(moving().filter(({ lastUsedMs }) => lastUsedMs === 0).length, 60);
  for (const unit of moving().filter(({ lastUsedMs }) => lastUsedMs === 0)) {
    closing.dropped(unit);
    unit.moveTo = null;
  }
  for (let i = 0; i < 5; i++) ends.handOverSome(nowMs, 128, 8_192);
  assert.equal(moving().length, busyMovingMax);
  assert.ok(moving().every(({ lastUsedMs }) => lastUsedMs === nowMs));
  closing.dropped(moving()[0]!);
  ends.handOverSome(nowMs, 128, 8_192);
  assert.equal(moving().length, busyMovingMax + 1, 'one leaves, another may');
});
