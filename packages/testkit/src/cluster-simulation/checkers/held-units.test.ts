import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { drawUsers } from '../users.ts';
import { type HeldUnitsView, whoIsNotHeld } from './held-units.ts';

test('I8: a unit without a holder, or with one that never claimed it', () => {
  const users = drawUsers(new SeededRng(5), 3);
  const right: HeldUnitsView = {
    users,
    fedIndex: 100,
    mayBeUnheld: false,
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
  assert.equal(unlike(2, { leaseOf: () => null, mayBeUnheld: true }), null);
  for (const epoch of [undefined, 1_049])
    assert.equal(unlike(1, { claimedBy: () => epoch }), "user 1 has a holder that hasn't claimed its unit");
  const moved = { leaseOf: () => ({ epoch: 1_101, grantIndex: 101 }), claimedBy: () => undefined };
  assert.equal(unlike(1, moved), null);
});
