import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseRecord } from '@holdfast/lease';
import { SeededRng } from '@holdfast/model';
import { drawUsers, type SimulatedUser } from '../users.ts';
import { type HeldUnitsView, releasedAfter, whoIsNotHeld } from './held-units.ts';

test('I8: a unit without a holder, or with one that never claimed it', () => {
  const users = drawUsers(new SeededRng(5), 3);
  const right: HeldUnitsView = {
    users,
    fedIndex: 100,
    mayBeUnheld: () => false,
    leaseOf: () => ({ epoch: 1_050, grantIndex: 50 }),
    claimedBy: () => 1_050,
  };
  const unlike = (user: number, change: Partial<HeldUnitsView>): string | null =>
    whoIsNotHeld({
      ...right,
      ...change,
      leaseOf: (each) => (each.index === user ? (change.leaseOf ?? right.leaseOf) : right.leaseOf)(each),
      claimedBy: (each) => (each.index === user ? (change.claimedBy ?? right.claimedBy) : right.claimedBy)(each),
    });
  assert.equal(whoIsNotHeld(right), null);
  assert.equal(unlike(2, { leaseOf: () => null }), 'user 2 has no holder');
  const mayBeUnheld = (of: number) => (user: { readonly index: number }) => user.index === of;
  assert.equal(unlike(2, { leaseOf: () => null, mayBeUnheld: mayBeUnheld(2) }), null);
  assert.equal(unlike(2, { leaseOf: () => null, mayBeUnheld: mayBeUnheld(1) }), 'user 2 has no holder');
  for (const epoch of [undefined, 1_049])
    assert.equal(unlike(1, { claimedBy: () => epoch }), "user 1 has a holder that hasn't claimed its unit");
  const moved = { leaseOf: () => ({ epoch: 1_101, grantIndex: 101 }), claimedBy: () => undefined };
  assert.equal(unlike(1, moved), null);
});

test('I8: a unit that was released after the last record may be without a holder, and no other', () => {
  const users = drawUsers(new SeededRng(5), 12);
  const released = ({ unit }: SimulatedUser): LeaseRecord => {
    return { kind: 'released', units: Uint32Array.of(unit.hi, unit.lo), epochs: Float64Array.of(1_050) };
  };
  const [a, b, c] = users as [SimulatedUser, SimulatedUser, SimulatedUser];
  const moved: LeaseRecord = {
    kind: 'moved',
    units: Uint32Array.of(c.unit.hi, c.unit.lo),
    fromEpochs: Float64Array.of(1_050),
    ...{ toSession: 3 as never, toShard: 0 as never },
  };
  const entries = [[], [released(a)], [released(b)], [moved]].map((records) => ({ records }));
  assert.deepEqual([...releasedAfter(entries, 1)], [b.unitKey]);
  assert.deepEqual([...releasedAfter(entries, 3)], []);
});
