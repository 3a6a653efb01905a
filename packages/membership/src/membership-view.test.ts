import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { claimIds, claims } from './arbitraries.test.ts';
import { compareClaims } from './claim-order.ts';
import type { Member, MemberClaim, MemberState } from './member.ts';
import { emptyView, type MembershipView, membersOf, mergeViews, stepMembership } from './membership-view.ts';
import { metaWith } from './test-meta.test.ts';

const self = nodeId('self');
const limits = { membersMax: 16, tombstoneKeepMs: 1000 };
const empty = emptyView(self, limits);

function claim(
  id: string,
  incarnation: number,
  state: MemberState,
  more: Partial<MemberClaim['meta']> = {},
): MemberClaim {
  return {
    id: nodeId(id),
    incarnation,
    state,
    gossipAddress: `10.0.0.1:${7500 + id.charCodeAt(0)}`,
    meta: metaWith(more),
  };
}

/** Tells claims to a view one by one; times only rise, as they do. */
function tell(view: MembershipView, told: readonly MemberClaim[], nowMs = 0): MembershipView {
  for (const one of told) view = stepMembership(view, { type: 'claim', claim: one }, nowMs).view;
  return view;
}

function kinds(view: MembershipView, told: MemberClaim, nowMs = 0): string[] {
  return stepMembership(view, { type: 'claim', claim: told }, nowMs).changes.map((change) => change.kind);
}

/** What views must agree on: all but the time at which each saw it. */
function shown(view: MembershipView): MemberClaim[] {
  return membersOf(view).map(({ sinceMs: _, ...rest }: Member) => rest);
}

describe('membership laws (I19)', () => {
  it('orders claims totally: antisymmetric, transitive, zero only for equal ones', () => {
    fc.assert(
      fc.property(claims, claims, claims, (a, b, c) => {
        assert.equal(Math.sign(compareClaims(a, b)), -Math.sign(compareClaims(b, a)) + 0);
        if (compareClaims(a, b) <= 0 && compareClaims(b, c) <= 0) assert.ok(compareClaims(a, c) <= 0);
        if (compareClaims(a, b) === 0) assert.deepEqual({ ...a, id: '' }, { ...b, id: '' });
      }),
      { numRuns: 2000 },
    );
  });

  it('shows the same whatever order claims come in, and however often', () => {
    const told = fc.array(claims, { maxLength: 12 });
    fc.assert(
      fc.property(
        told.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.subarray(list)),
        ),
        ([list, shuffled, repeated]) => {
          assert.deepEqual(shown(tell(empty, [...shuffled, ...repeated])), shown(tell(empty, list)));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('merges views commutatively, associatively, idempotently', () => {
    const views = fc.array(claims, { maxLength: 6 }).map((list) => tell(empty, list));
    fc.assert(
      fc.property(views, views, views, (a, b, c) => {
        const merge = (x: MembershipView, y: MembershipView) => mergeViews(x, y, 0).view;
        assert.deepEqual(shown(merge(a, b)), shown(merge(b, a)));
        assert.deepEqual(shown(merge(merge(a, b), c)), shown(merge(a, merge(b, c))));
        assert.deepEqual(shown(merge(a, a)), shown(a));
      }),
      { numRuns: 1000 },
    );
  });

  it('never lowers what is known, and invents no incarnation', () => {
    fc.assert(
      fc.property(fc.array(claims, { maxLength: 12 }), (list) => {
        let view = empty;
        for (const one of list) {
          const before = view;
          view = tell(view, [one]);
          for (const id of claimIds) {
            const was = before.members.get(id);
            const is = view.members.get(id);
            if (was !== undefined) assert.ok(is !== undefined && compareClaims(is, was) >= 0);
          }
        }
        for (const member of view.members.values()) {
          assert.ok(list.some((one) => one.id === member.id && one.incarnation === member.incarnation));
        }
      }),
    );
  });

  it('leaves what a node knows about itself to that node', () => {
    fc.assert(
      fc.property(fc.array(claims, { maxLength: 12 }), (list) => {
        const own = claim('self', 2, 'alive');
        const view = stepMembership(empty, { type: 'self', claim: own }, 0).view;
        assert.deepEqual(
          shown(
            tell(
              view,
              list.map((one) => ({ ...one, id: self })),
            ),
          ),
          [own],
        );
      }),
    );
  });
});

describe('membership changes', () => {
  it('tells the life of a member', () => {
    let view = empty;
    const step = (told: MemberClaim): string[] => {
      const { view: next, changes } = stepMembership(view, { type: 'claim', claim: told }, 0);
      view = next;
      return changes.map((change) => change.kind);
    };
    assert.deepEqual(step(claim('a', 1, 'alive')), ['joined']);
    assert.deepEqual(step(claim('a', 1, 'alive')), []);
    assert.deepEqual(step(claim('a', 2, 'alive')), [], 'a bare raise of the incarnation is no news');
    assert.deepEqual(step(claim('a', 3, 'alive', { zone: 'z' })), ['updated']);
    assert.deepEqual(step(claim('a', 3, 'suspect', { zone: 'z' })), ['suspected']);
    assert.deepEqual(step(claim('a', 4, 'alive', { zone: 'z' })), ['recovered']);
    assert.deepEqual(step(claim('a', 4, 'dead', { zone: 'z' })), ['died']);
    assert.deepEqual(step(claim('a', 4, 'suspect', { zone: 'z' })), [], 'an older rumour');
    assert.deepEqual(step(claim('a', 9, 'alive', { zone: 'z', startCounter: 2 })), ['restarted']);
    assert.deepEqual(step(claim('a', 9, 'left', { zone: 'z', startCounter: 2 })), ['left']);
    assert.deepEqual(step(claim('a', 9, 'dead', { zone: 'z', startCounter: 2 })), [], 'who left is not dead');
  });

  it('remembers since when a state holds, over updates of the meta', () => {
    let view = tell(empty, [claim('a', 1, 'alive')], 10);
    view = tell(view, [claim('a', 2, 'alive', { zone: 'z' })], 20);
    assert.equal(view.members.get(nodeId('a'))?.sinceMs, 10);
    view = tell(view, [claim('a', 2, 'suspect', { zone: 'z' })], 30);
    assert.equal(view.members.get(nodeId('a'))?.sinceMs, 30);
    view = tell(view, [claim('a', 9, 'suspect', { startCounter: 2 })], 40);
    assert.equal(view.members.get(nodeId('a'))?.sinceMs, 40);
  });

  it('tells a node of its successor, and of a second node under its id', () => {
    const view = stepMembership(empty, { type: 'self', claim: claim('self', 1, 'alive') }, 0).view;
    assert.deepEqual(kinds(view, claim('self', 9, 'alive', { startCounter: 2 })), ['superseded']);
    const other = {
      ...claim('self', 9, 'alive', { uuid: 'ffffffff-0000-0000-0000-000000000000' }),
      gossipAddress: '10.9.9.9:1',
    };
    assert.deepEqual(kinds(view, other), ['conflict']);
    assert.deepEqual(kinds(view, { ...other, state: 'dead' }), []);
    assert.deepEqual(kinds(view, claim('self', 1, 'suspect')), [], 'an accusation is the adapter’s to refute');
  });

  it('tells of two living data folders under one id', () => {
    const view = tell(empty, [claim('a', 5, 'alive')]);
    const twin = claim('a', 4, 'alive', { uuid: 'ffffffff-0000-0000-0000-000000000000' });
    assert.deepEqual(kinds(view, twin), ['conflict']);
    assert.deepEqual(kinds(view, { ...twin, incarnation: 6 }), ['restarted', 'conflict']);
  });

  it('refuses to lower its own incarnation', () => {
    const view = stepMembership(empty, { type: 'self', claim: claim('self', 3, 'alive') }, 0).view;
    assert.throws(() => stepMembership(view, { type: 'self', claim: claim('self', 2, 'alive') }, 0), /incarnation/);
  });
});

describe('membership bounds', () => {
  it('forgets tombstones after their time, and nobody else', () => {
    const view = tell(empty, [claim('a', 1, 'dead'), claim('b', 1, 'left'), claim('c', 1, 'alive')], 100);
    assert.deepEqual(stepMembership(view, { type: 'tick' }, 1099).changes, []);
    const { view: after, changes } = stepMembership(view, { type: 'tick' }, 1100);
    assert.deepEqual(
      changes.map((change) => change.kind),
      ['pruned', 'pruned'],
    );
    assert.deepEqual(
      membersOf(after).map((member) => member.id),
      ['c'],
    );
  });

  it('never exceeds membersMax: gives up the oldest tombstone for the living, refuses else', () => {
    const small = emptyView(self, { membersMax: 3, tombstoneKeepMs: 1000 });
    let view = tell(small, [claim('a', 1, 'dead')], 1);
    view = tell(view, [claim('b', 1, 'dead')], 2);
    view = tell(view, [claim('c', 1, 'alive')], 3);
    assert.deepEqual(kinds(view, claim('d', 1, 'dead')), ['refused']);
    assert.deepEqual(kinds(view, claim('d', 1, 'alive')), ['pruned', 'joined']);
    view = tell(view, [claim('d', 1, 'alive'), claim('e', 1, 'alive')], 4);
    assert.deepEqual(
      membersOf(view).map((member) => member.id),
      ['c', 'd', 'e'],
    );
    assert.deepEqual(kinds(view, claim('f', 1, 'alive')), ['refused']);
  });
});
