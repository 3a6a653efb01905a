import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardRef } from '@holdfast/model';
import type { LeaseView } from '../lease-view.ts';
import { ClosingUnits } from './closing-units.ts';
import { HeldUnit } from './held-unit.ts';
import { MarkerBook } from './marker-book.ts';
import { OutputBuffer } from './output-buffer.ts';
import { Rounds } from './rounds.ts';

const to: ShardRef = { session: 20 as never, shard: 1 as never };

/** As much of a table as the end of a lease looks at. */
class Table {
  index = 15;
  live = new Set<number>();
  tableIndex(): number {
    return this.index;
  }
  isLive(session: number): boolean {
    return this.live.has(session);
  }
}

function setUp() {
  const table = new Table();
  const rounds = new Rounds(new MarkerBook(), new OutputBuffer());
  const limits = { releaseRetryMs: 100, moveAsksMax: 2 };
  const closing = new ClosingUnits(rounds, table as unknown as LeaseView, limits);
  const unit = new HeldUnit(1, 2, 1_010, 0);
  unit.phase = 'open';
  return { table, rounds, closing, unit };
}

test('a dirty unit is written first, ahead of the round; its move is proposed, repeated, and turned into a release', () => {
  const { rounds, closing, unit } = setUp();
  const other = new HeldUnit(3, 4, 1_010, 0);
  rounds.changed(other, 0);
  rounds.changed(unit, 0);
  rounds.begin([]);
  closing.close(unit, to);
  assert.equal(unit.phase, 'closing');
  assert.deepEqual(closing.takeEnds(0), []);
  assert.deepEqual(rounds.takeUnits(1), [unit]);
  unit.flyingVersion = -1;
  rounds.saved(unit, unit.version);
  closing.saved(unit);
  const wish = { hi: 1, lo: 2, epoch: 1_010 };
  assert.deepEqual(closing.takeEnds(0), [{ ...wish, to }]);
  assert.equal([...closing.check(50)].length, 1);
  assert.deepEqual(closing.takeEnds(50), []);
  for (const [nowMs, target] of [
    [100, to],
    [200, null],
    [300, null],
  ] as const) {
    [...closing.check(nowMs)];
    assert.deepEqual(closing.takeEnds(nowMs), [{ ...wish, to: target }]);
  }
});

test('a unit opens again when the table shows its target gone, not before, and not once a release was proposed', () => {
  const { table, closing, unit } = setUp();
  closing.close(unit, to);
  closing.takeEnds(0);
  assert.deepEqual(closing.voided(), [], 'the session is still to come');
  table.index = 25;
  table.live.add(20);
  assert.deepEqual(closing.voided(), [], 'the move may take effect');
  table.live.delete(20);
  assert.deepEqual(closing.voided(), [unit]);
  closing.reopen(unit);
  assert.equal(unit.phase, 'open');
  assert.equal(closing.movingCount, 0);
  assert.deepEqual([...closing.check(1_000)], []);
  closing.close(unit, to);
  for (const nowMs of [0, 100, 200]) {
    [...closing.check(nowMs)];
    closing.takeEnds(nowMs);
  }
  assert.equal(unit.endIsOpen, true);
  assert.deepEqual(closing.voided(), [], 'the release may take effect');
});
