import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseView } from '../lease-view.ts';
import { HeldUnit } from './held-unit.ts';
import { LongestIdle, longestIdle } from './longest-idle.ts';
import { UnitStore } from './unit-store.ts';

function openUnit(hi: number, lastUsedMs: number): HeldUnit {
  const unit = new HeldUnit(hi, hi, 1, lastUsedMs);
  unit.phase = 'open';
  return unit;
}

test('the longest idle open units are chosen, and none that records wait for', () => {
  const units = [50, 10, 40, 20, 30, 0, 5].map((lastUsedMs, i) => openUnit(i, lastUsedMs));
  units[5]!.phase = 'closing';
  units[6]!.paused = true;
  assert.deepEqual(
    longestIdle(units, 3).map(({ lastUsedMs }) => lastUsedMs),
    [10, 20, 30],
  );
  assert.equal(longestIdle(units, 100).length, 5);
});

test('leases that no record came for go first, once they are old enough', () => {
  let index = 100;
  /** unit n of shard n % 2, granted at index n */
  const granted = [1, 2, 3, 4, 5, 6, 120];
  const leases = {
    session: 7,
    shard: 0,
    epoch: 0,
    epochBase: () => 1_000,
    tableIndex: () => index,
    visitSome(_place: number, _count: number, visit: (hi: number, lo: number) => void): number {
      for (const n of granted) {
        if (n > index) continue;
        this.shard = n % 2;
        this.epoch = 1_000 + n;
        visit(n, n);
      }
      return 0;
    },
  };
  const units = new UnitStore();
  units.add(openUnit(4, 10));
  units.add(openUnit(6, 20));
  const idle = new LongestIdle({ session: 7, shard: 0 } as never, leases as unknown as LeaseView, units);
  const released: string[] = [];
  const steps = {
    close: (unit: HeldUnit) => released.push(`held ${unit.hi}`),
    closeUnclaimed: (hi: number, _lo: number, epoch: number) => released.push(`unused ${hi} ${epoch}`),
  };
  const release = (max: number, nowMs: number): string[] => {
    released.length = 0;
    idle.release(max, 100, nowMs, steps);
    return [...released];
  };
  assert.deepEqual(release(1, 0), ['held 4'], 'what is unused may have been granted this moment');
  index = 130;
  assert.deepEqual(release(1, 4_000), ['held 4']);
  assert.deepEqual(release(2, 6_000), ['unused 2 1002', 'held 4'], 'unit 120 came after the first look');
  assert.deepEqual(release(5, 12_000), ['unused 2 1002', 'unused 120 1120', 'held 4', 'held 6']);
});
